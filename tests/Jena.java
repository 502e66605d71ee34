// The engine of Apache Jena (ARQ over TDB2) behind the SPARQL 1.1 Protocol, for tests: as much of Fuseki as Debian lacks.
// java -cp '/usr/share/java/*' Jena.java PORT FOLDER; queries at /ds/query, updates at /ds/update, both as forms by POST.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.jena.query.Dataset;
import org.apache.jena.query.DatasetFactory;
import org.apache.jena.query.Query;
import org.apache.jena.query.QueryCancelledException;
import org.apache.jena.query.QueryExecution;
import org.apache.jena.query.QueryFactory;
import org.apache.jena.query.ReadWrite;
import org.apache.jena.riot.Lang;
import org.apache.jena.riot.RDFDataMgr;
import org.apache.jena.riot.ResultSetMgr;
import org.apache.jena.riot.resultset.ResultSetLang;
import org.apache.jena.sparql.core.DatasetDescription;
import org.apache.jena.sparql.core.DynamicDatasets;
import org.apache.jena.tdb2.TDB2Factory;
import org.apache.jena.update.UpdateAction;

public class Jena {
    private final Dataset dataset;

    Jena(String folder) {
        dataset = TDB2Factory.connectDataset(folder);
    }

    public static void main(String[] arguments) throws IOException {
        Jena jena = new Jena(arguments[1]);
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0]));
        HttpServer server = HttpServer.create(address, 0);
        server.createContext("/ds/query", exchange -> jena.answer(exchange, ReadWrite.READ));
        server.createContext("/ds/update", exchange -> jena.answer(exchange, ReadWrite.WRITE));
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.start();
    }

    private void answer(HttpExchange exchange, ReadWrite mode) throws IOException {
        dataset.begin(mode);
        try {
            Form form = new Form(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            if (mode == ReadWrite.READ) {
                query(exchange, form);
            } else {
                UpdateAction.parseExecute(form.first("update", ""), dataset);
                dataset.commit();
                exchange.sendResponseHeaders(204, -1);
            }
        } catch (QueryCancelledException cancelled) {
            say(exchange, 503, "The query took too long.");
        } catch (RuntimeException fault) {
            say(exchange, 400, String.valueOf(fault.getMessage()));
        } finally {
            dataset.end();
            exchange.close();
        }
    }

    private void query(HttpExchange exchange, Form form) throws IOException {
        Query query = QueryFactory.create(form.first("query", ""));
        List<String> defaults = form.all("default-graph-uri"), named = form.all("named-graph-uri");
        Dataset seen = dataset;
        if (!defaults.isEmpty() || !named.isEmpty()) {
            DatasetDescription told = DatasetDescription.create(defaults, named);
            seen = DatasetFactory.wrap(DynamicDatasets.dynamicDataset(told, dataset.asDatasetGraph(), false));
        }
        long seconds = Long.parseLong(form.first("timeout", "3600"));
        try (QueryExecution execution = QueryExecution.dataset(seen).query(query).timeout(seconds, TimeUnit.SECONDS).build()) {
            String accept = exchange.getRequestHeaders().getFirst("Accept");
            if (query.isSelectType()) {
                Lang form_ = accept.contains("csv") ? ResultSetLang.RS_CSV : accept.contains("tab-") ? ResultSetLang.RS_TSV : ResultSetLang.RS_JSON;
                var rows = execution.execSelect();
                rows.hasNext();
                ResultSetMgr.write(begun(exchange, form_.getHeaderString()), rows, form_);
            } else if (query.isAskType()) {
                boolean truth = execution.execAsk();
                ResultSetMgr.write(begun(exchange, ResultSetLang.RS_JSON.getHeaderString()), truth, ResultSetLang.RS_JSON);
            } else {
                var model = query.isConstructType() ? execution.execConstruct() : execution.execDescribe();
                RDFDataMgr.write(begun(exchange, Lang.NTRIPLES.getHeaderString()), model, Lang.NTRIPLES);
            }
        }
        exchange.getResponseBody().close();
    }

    private static OutputStream begun(HttpExchange exchange, String mediaType) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", mediaType);
        exchange.sendResponseHeaders(200, 0);
        return exchange.getResponseBody();
    }

    private static void say(HttpExchange exchange, int status, String words) throws IOException {
        byte[] told = words.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, told.length);
        exchange.getResponseBody().write(told);
    }

    private record Form(String body) {
        List<String> all(String name) {
            List<String> found = new ArrayList<>();
            for (String field : body.split("&")) {
                if (field.startsWith(name + "=")) {
                    found.add(URLDecoder.decode(field.substring(name.length() + 1), StandardCharsets.UTF_8));
                }
            }
            return found;
        }

        String first(String name, String otherwise) {
            List<String> found = all(name);
            return found.isEmpty() ? otherwise : found.get(0);
        }
    }
}
