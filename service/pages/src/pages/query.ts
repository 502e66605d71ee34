/** The query page with scripts: the editor in place of the text field, the answer in place of the service's table. */
import { Workbench } from "../workbench";

const host = document.getElementById("workbench");
if (host) new Workbench(host).begin();
