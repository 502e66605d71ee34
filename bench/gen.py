"""A graph of the motor industry of any size, the same for the same arguments on every machine.

    python -m bench.gen --triples 1000000 --out graph.nt [--seed 42] [--quads] [--violations 5] [--manifest FILE]

N-Triples, or N-Quads with one named graph per subject area, of automakers, brands, plants, models, technologies,
suppliers, collaborations, regulations, duty rates, articles and claims. Who is pointed at is skewed as in life (Zipf,
s = 1). The claims fill the graph up to exactly the triples asked for. Of each of the eleven breaches in KINDS, as many
are planted as --violations says, so that a validator can be held against a known number.
"""

import argparse
import itertools
import json
import random
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypedDict

ONTOLOGY = "http://auto.example/ontology#"
ID = "http://auto.example/id/"
XSD = "http://www.w3.org/2001/XMLSchema#"
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
SUBCLASS = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"
LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
OWL_CLASS = "<http://www.w3.org/2002/07/owl#Class>"

# Tables are read by the row, so the formatter leaves them alone.
# fmt: off
COUNTRIES = [
    ("ES", "Spain"), ("DE", "Germany"), ("CN", "China"), ("US", "United States"), ("AT", "Austria"),
    ("KR", "South Korea"), ("BR", "Brazil"), ("FR", "France"), ("IT", "Italy"), ("GB", "United Kingdom"),
    ("JP", "Japan"), ("MX", "Mexico"), ("CA", "Canada"), ("SE", "Sweden"), ("HU", "Hungary"), ("PL", "Poland"),
    ("CZ", "Czechia"), ("SK", "Slovakia"), ("RO", "Romania"), ("TR", "Turkey"), ("MA", "Morocco"),
    ("ZA", "South Africa"), ("IN", "India"), ("TH", "Thailand"), ("ID", "Indonesia"), ("MY", "Malaysia"),
    ("VN", "Vietnam"), ("AR", "Argentina"), ("BE", "Belgium"), ("NL", "Netherlands"), ("PT", "Portugal"),
    ("SI", "Slovenia"), ("RS", "Serbia"), ("FI", "Finland"), ("UZ", "Uzbekistan"), ("EG", "Egypt"),
    ("AU", "Australia"), ("CL", "Chile"), ("NO", "Norway"), ("CH", "Switzerland"),
]
CLASSES = [
    ("Automaker", "Organization"), ("EVMaker", "Automaker"), ("LegacyMaker", "Automaker"),
    ("Supplier", "Organization"), ("BatterySupplier", "Supplier"), ("ChipSupplier", "Supplier"),
    ("Brand", "Thing"), ("Plant", "Site"), ("Site", "Thing"), ("Model", "Thing"),
    ("Technology", "Thing"), ("Powertrain", "Technology"), ("BatteryElectric", "Powertrain"),
    ("PlugInHybrid", "Powertrain"), ("Hybrid", "Powertrain"), ("FuelCell", "Powertrain"),
    ("Combustion", "Powertrain"), ("Battery", "Technology"), ("LFPBattery", "Battery"),
    ("NMCBattery", "Battery"), ("SolidStateBattery", "Battery"), ("Software", "Technology"),
    ("ADAS", "Software"), ("Connectivity", "Software"), ("Platform", "Technology"),
    ("Collaboration", "Thing"), ("JointVenture", "Collaboration"), ("LicenceAgreement", "Collaboration"),
    ("ContractManufacturing", "Collaboration"), ("Talks", "Collaboration"), ("Article", "Thing"),
    ("Claim", "Thing"), ("Regulation", "Thing"), ("TariffRegulation", "Regulation"),
    ("SecurityRegulation", "Regulation"), ("DutyRate", "Thing"), ("Country", "Thing"), ("Organization", "Thing"),
]
TECHNOLOGIES = [
    "BatteryElectric", "PlugInHybrid", "Hybrid", "FuelCell", "Combustion", "LFPBattery", "NMCBattery",
    "SolidStateBattery", "ADAS", "Connectivity", "Platform",
]
AUTOMAKERS = ["EVMaker", "LegacyMaker", "Automaker"]
SUPPLIERS = ["BatterySupplier", "ChipSupplier", "Supplier"]
COLLABORATIONS = ["JointVenture", "LicenceAgreement", "ContractManufacturing", "Talks"]
STATUSES = ["rumoured", "in-talks", "announced", "signed", "active", "ended", "denied"]
STANCES = ["confirms", "denies", "reports", "speculates"]
POWERTRAINS = ["BEV", "PHEV", "HEV", "ICE", "FCEV"]
WORDS = [
    "falcon", "river", "solar", "atlas", "nova", "terra", "swift", "aurora", "ridge", "lynx", "comet", "delta",
    "orion", "vector", "pulse", "ember", "zephyr", "quartz", "harbor", "summit", "breeze", "canyon", "meteor",
    "pioneer", "horizon", "glacier",
]
KINDS = [
    "plant_no_country", "plant_lat_range", "model_powertrain_in", "automaker_lei_pattern", "claim_closed",
    "collab_min_participants", "duty_sparql_dates", "supplier_not_owned", "regulation_inverse_min",
    "collab_qualified", "claim_date_datatype",
]
# fmt: on
LEI_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"

SHARES = {
    "automaker": 0.0015,
    "brand": 0.003,
    "plant": 0.01,
    "model": 0.02,
    "technology": 0.001,
    "supplier": 0.005,
    "collaboration": 0.01,
    "article": 0.01,
    "regulation": 0.0005,
    "duty": 0.002,
}
CLAIMS_ARE_REACHED_ABOVE = 50_000

Statement = tuple[str, str]


class Manifest(TypedDict):
    """What a graph holds: the arguments it was made from, the breaches planted, the triples and entities written."""

    triples: int
    seed: int
    per_kind: int
    kinds: list[str]
    expected_results: int
    written: int
    counts: dict[str, int]


class SheetFullError(Exception):
    """The next entity would take the graph over its size."""


def iri(kind: str, key: int | str) -> str:
    """The N-Triples form of an entity's IRI."""
    return f"<{ID}{kind}/{key}>"


def plain(value: object) -> str:
    """The N-Triples form of a plain string."""
    return f'"{value}"'


def english(value: str) -> str:
    """The N-Triples form of a string in English."""
    return f'"{value}"@en'


def typed(value: object, datatype: str) -> str:
    """The N-Triples form of a literal of an XML Schema datatype."""
    return f'"{value}"^^<{XSD}{datatype}>'


class Chance:
    """Random choices from one seed; the graph depends on the order in which they are asked for."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.fraction = self._random.random

    def below(self, bound: int) -> int:
        """An even choice from 0 to bound - 1."""
        return int(self.fraction() * bound)

    def between(self, start: int, span: int) -> int:
        """An even choice from start to start + span - 1."""
        return int(start + self.fraction() * span)

    def rank(self, bound: int) -> int:
        """A rank from 0 to bound - 1, the low ones more often: Zipf with s = 1, which is log-uniform."""
        return int((bound + 1) ** self.fraction()) - 1

    def one_of(self, choices: Sequence[str]) -> str:
        """An even choice from a list."""
        return choices[self.below(len(choices))]

    def characters(self, alphabet: str, length: int) -> str:
        """A random string."""
        return "".join(self._random.choices(alphabet, k=length))

    def date(self) -> str:
        """A day from 2015 to 2026, as a lexical xsd:date."""
        return f"{self.between(2015, 12)}-{self.between(1, 12):02d}-{self.between(1, 28):02d}"

    def name(self) -> str:
        """Two words."""
        return f"{self.one_of(WORDS).title()} {self.one_of(WORDS).title()}"

    def country(self) -> str:
        """A country's IRI, Spain most often."""
        return iri("country", COUNTRIES[self.rank(len(COUNTRIES))][0])


class Sheet:
    """The lines written so far, never more than the size asked for once the ontology is in."""

    def __init__(self, size: int, write: Callable[[str], object], quads: bool) -> None:
        self.count = 0
        self._size = size
        self._write = write
        self._quads = quads
        self._graph = ""

    def open_graph(self, name: str) -> None:
        """Put what follows into the named graph of that name; in N-Triples this changes nothing."""
        self._graph = f" <{ID}graph/{name}>" if self._quads else ""

    def statements(self, subject: str, statements: Collection[Statement]) -> None:
        """Write statements about one subject, whatever the size."""
        self._write("".join(f"{subject} {predicate} {value}{self._graph} .\n" for predicate, value in statements))
        self.count += len(statements)

    def entity(self, subject: str, kind: str, *statements: Statement) -> None:
        """Write an entity whole, or raise SheetFullError. A predicate that is no IRI is a name in the ontology."""
        if self.count + 1 + len(statements) > self._size:
            raise SheetFullError
        named = [(p if p.startswith("<") else f"<{ONTOLOGY}{p}>", value) for p, value in statements]
        self.statements(subject, [(TYPE, f"<{ONTOLOGY}{kind}>"), *named])

    def pad(self) -> None:
        """Fill the last lines, where no whole entity found room, with notes of one triple each."""
        while self.count < self._size:
            self.statements(iri("pad", self.count), [(f"<{ONTOLOGY}note>", plain(self.count))])


class Industry:
    """The industry, one method for each kind of thing in it, in the order in which they are written."""

    def __init__(self, sheet: Sheet, chance: Chance, size: int, violations: int) -> None:
        self.counts = {kind: max(10, int(size * share)) for kind, share in SHARES.items()}
        self.claims_written = 0
        self._sheet = sheet
        self._chance = chance
        self._violations = violations

    def write(self) -> None:
        """Write everything; ends with SheetFullError."""
        areas: dict[str, list[Callable[[], None]]] = {
            "ontology": [self._ontology, self._countries],
            "companies": [self._automakers, self._brands, self._technologies],
            "production": [self._models, self._plants, self._suppliers],
            "collaborations": [self._collaborations],
            "regulations": [self._regulations, self._duties],
            "news": [self._articles, self._claims],
        }
        for area, parts in areas.items():
            self._sheet.open_graph(area)
            for part in parts:
                part()

    def _breaches(self, number: int, first: int) -> bool:
        return first <= number < first + self._violations

    def _any(self, kind: str) -> str:
        return iri(kind, self._chance.rank(self.counts[kind]))

    def _ontology(self) -> None:
        for name, parent in CLASSES:
            statements = [(TYPE, OWL_CLASS), (SUBCLASS, f"<{ONTOLOGY}{parent}>"), (LABEL, english(name))]
            self._sheet.statements(f"<{ONTOLOGY}{name}>", statements)

    def _countries(self) -> None:
        for code, name in COUNTRIES:
            self._sheet.entity(iri("country", code), "Country", (LABEL, english(name)), ("isoCode", plain(code)))

    def _automakers(self) -> None:
        chance = self._chance
        for i in range(self.counts["automaker"]):
            lei = chance.characters(LEI_CHARACTERS, 20)
            statements = [
                (LABEL, english(f"{chance.name()} Motors {i}")),
                ("hqCountry", chance.country()),
                ("founded", typed(chance.between(1890, 135), "gYear")),
                ("lei", plain("bad-lei" if self._breaches(i, 3) else lei)),
            ]
            if i > 3 and chance.fraction() < 0.6:
                statements.append(("ownedBy", iri("automaker", chance.rank(i))))
            self._sheet.entity(iri("automaker", i), AUTOMAKERS[i % 3], *statements)

    def _brands(self) -> None:
        for i in range(self.counts["brand"]):
            label = (LABEL, english(f"{self._chance.name()} {i}"))
            self._sheet.entity(iri("brand", i), "Brand", label, ("brandOf", self._any("automaker")))

    def _technologies(self) -> None:
        for i in range(self.counts["technology"]):
            label = (LABEL, english(f"{self._chance.name()} tech {i}"))
            level = ("trl", typed(self._chance.between(1, 9), "integer"))
            self._sheet.entity(iri("technology", i), TECHNOLOGIES[i % len(TECHNOLOGIES)], label, level)

    def _models(self) -> None:
        chance = self._chance
        for i in range(self.counts["model"]):
            self._sheet.entity(
                iri("model", i),
                "Model",
                (LABEL, english(f"{chance.name()} {i}")),
                ("madeBy", self._any("automaker")),
                ("powertrain", plain("STEAM" if self._breaches(i, 20) else POWERTRAINS[chance.rank(5)])),
                ("price", self._price(i)),
                ("launchYear", typed(chance.between(2000, 27), "gYear")),
                ("usesTechnology", self._any("technology")),
            )

    def _price(self, number: int) -> str:
        price = 15000 + self._chance.below(90000)
        return typed(f"{price}.00", "decimal") if number % 2 else typed(price, "integer")

    def _plants(self) -> None:
        chance = self._chance
        for i in range(self.counts["plant"]):
            latitude = 123.4 if self._breaches(i, 40) else round(-35 + chance.fraction() * 95, 5)
            statements = [
                (LABEL, english(f"{chance.name()} Plant {i}")),
                ("operatedBy", self._any("automaker")),
            ]
            if not self._breaches(i, 60):
                statements.append(("country", chance.country()))
            statements += [
                ("lat", typed(latitude, "decimal")),
                ("long", typed(round(-120 + chance.fraction() * 260, 5), "decimal")),
                ("capacity", typed(int(1000 + 500000 * chance.fraction() ** 3), "integer")),
                ("opened", typed(chance.date(), "date")),
                ("usesTechnology", self._any("technology")),
            ]
            models = self.counts["model"]
            statements += [("produces", iri("model", m)) for m in {chance.below(models), chance.below(models)}]
            self._sheet.entity(iri("plant", i), "Plant", *statements)

    def _suppliers(self) -> None:
        chance = self._chance
        automakers = self.counts["automaker"]
        for i in range(self.counts["supplier"]):
            statements = [
                (LABEL, english(f"{chance.name()} Supply {i}")),
                ("hqCountry", chance.country()),
                ("supplies", self._any("technology")),
            ]
            customers = {chance.rank(automakers), chance.rank(automakers)}
            statements += [("suppliesTo", iri("automaker", customer)) for customer in customers]
            if self._breaches(i, 30):
                statements.append(("ownedBy", iri("automaker", 1)))
            self._sheet.entity(iri("supplier", i), SUPPLIERS[i % 3], *statements)

    def _collaborations(self) -> None:
        chance = self._chance
        for i in range(self.counts["collaboration"]):
            participants = self._participants(i)
            year = chance.between(2015, 10)
            statements = [
                (LABEL, english(f"{chance.name()} deal {i}")),
                ("status", plain(chance.one_of(STATUSES))),
                ("startDate", typed(f"{year}-03-01", "date")),
                ("plant", self._any("plant")),
                ("technology", self._any("technology")),
            ]
            statements += [("participant", participant) for participant in sorted(participants)]
            self._sheet.entity(iri("collaboration", i), COLLABORATIONS[i % 4], *statements)

    def _participants(self, number: int) -> set[str]:
        if self._breaches(number, 50):
            return {iri("automaker", 2)}
        if self._breaches(number, 70):
            return {iri("supplier", 1), iri("supplier", 2)}
        participants: set[str] = set()
        while len(participants) < 2:
            participants.add(self._any("automaker"))
        for _ in range(self._chance.below(3)):
            participants.add(self._any("automaker" if self._chance.fraction() < 0.5 else "supplier"))
        return participants

    def _regulations(self) -> None:
        for i in range(self.counts["regulation"]):
            self._sheet.entity(
                iri("regulation", i),
                "TariffRegulation" if i % 3 else "SecurityRegulation",
                (LABEL, english(f"Regulation {i}")),
                ("jurisdiction", self._chance.country()),
                ("inForce", typed(self._chance.date(), "date")),
            )

    def _duties(self) -> None:
        chance = self._chance
        regulations = [i for i in range(self.counts["regulation"]) if not self._breaches(i, 4)]
        for i in range(self.counts["duty"]):
            year = chance.between(2018, 8)
            end = year - 2 if self._breaches(i, 5) else year + 3
            self._sheet.entity(
                iri("duty", i),
                "DutyRate",
                ("underRegulation", iri("regulation", regulations[i % len(regulations)])),
                ("appliesTo", self._any("automaker")),
                ("rate", typed(f"{chance.fraction() * 48:.2f}", "decimal")),
                ("effectiveFrom", typed(f"{year}-01-01", "date")),
                ("effectiveTo", typed(f"{end}-12-31", "date")),
            )

    def _articles(self) -> None:
        chance = self._chance
        for i in range(self.counts["article"]):
            self._sheet.entity(
                iri("article", i),
                "Article",
                (LABEL, english(f"{chance.name()} said to {chance.one_of(STATUSES)} {chance.name()}")),
                ("published", typed(chance.date(), "date")),
                ("url", typed(f"https://news.example/{i}", "anyURI")),
            )

    def _claims(self) -> None:
        for i in itertools.count():
            self._claim(i)
            self.claims_written = i + 1

    def _claim(self, number: int) -> None:
        chance = self._chance
        statements = [
            ("about", self._any("collaboration")),
            ("stance", plain(chance.one_of(STANCES))),
            ("source", iri("article", chance.below(self.counts["article"]))),
            ("claimDate", plain("yesterday") if self._breaches(number, 10) else typed(chance.date(), "date")),
            ("assertedBy", self._any("automaker")),
            ("confidence", typed(f"{chance.fraction():.2f}", "decimal")),
            ("text", english(f"{self._report()} in claim {number}")),
        ]
        if self._breaches(number, 30):
            statements.append(("mood", plain("upbeat")))
        self._sheet.entity(iri("claim", number), "Claim", *statements)

    def _report(self) -> str:
        chance = self._chance
        names = [chance.name()]
        status = chance.one_of(STATUSES)
        names += [chance.name() for _ in range(4)]
        return "{} {status} {} over {} capacity, {} technology and {} duties".format(*names, status=status)


def generate(triples: int, seed: int, write: Callable[[str], object], quads: bool = False, violations: int = 0) -> Manifest:
    """Write a graph of so many triples, a few lines at a time, and say what is in it."""
    sheet = Sheet(triples, write, quads)
    industry = Industry(sheet, Chance(seed), triples, violations)
    try:
        industry.write()
    except SheetFullError:
        sheet.pad()
    claims = industry.claims_written if triples > CLAIMS_ARE_REACHED_ABOVE else 0
    return Manifest(
        triples=triples,
        seed=seed,
        per_kind=violations,
        kinds=KINDS,
        expected_results=violations * len(KINDS),
        written=sheet.count,
        counts={**industry.counts, "claim": claims},
    )


def main() -> None:
    """Write the graph that the command line asks for and print its manifest."""
    parser = argparse.ArgumentParser(description="Write a graph of the motor industry.")
    parser.add_argument("--triples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quads", action="store_true", help="N-Quads, one named graph per subject area")
    parser.add_argument("--violations", type=int, default=5, help="how many breaches of each kind to plant")
    parser.add_argument("--manifest", type=Path, help="a file for the manifest too")
    wanted = parser.parse_args()
    with wanted.out.open("w", buffering=1 << 20) as lines:
        manifest = generate(wanted.triples, wanted.seed, lines.write, wanted.quads, wanted.violations)
    if wanted.manifest:
        wanted.manifest.write_text(json.dumps(manifest, indent=1))
    print(json.dumps(manifest))


if __name__ == "__main__":
    main()
