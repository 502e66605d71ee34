"""The pages that the browser tests look at, in one place: whoever adds a page adds its address here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A page: where it is, and how much may be sent for it with all that it loads, packed, in kilobytes."""

    path: str
    kilobytes: int = 60
    status: int = 200


ADDRESSES = (
    Address("/"),
    Address("/page/plant/ford-valencia-body-and-assembly"),
    Address("/page/deal/ford-geely-2026"),
    Address("/page/deal/ford-xiaomi-2026"),
    Address("/page/organization/geely-holding"),
    Address("/page/organization/magna"),
    Address("/page/brand/volvo"),
    Address("/page/brand/volvo?show=duties&show=history&around=all"),
    Address("/page/model/volvo-ex30"),
    Address("/page/measure/eu-cvd-bev-cn-def"),
    Address("/page/act/us-cv-rule"),
    Address("/page/iri/http%3A%2F%2Fdata.europa.eu%2Feli%2Freg_impl%2F2024%2F2754%2Foj"),
    Address("/page/source/founding-article"),
    Address("/page/claim/s34"),
    Address("/page/concept/technology/vcs"),
    Address("/explore"),
    Address("/explore/plants?country=es&view=map"),
    Address("/explore/plants?view=map", kilobytes=80),
    Address("/explore/network?focus=ford"),
    Address("/explore/network?view=matrix"),
    Address("/explore/network?view=list&at=1"),
    Address("/explore/deals?view=timeline", kilobytes=70),
    Address("/explore/claims?stance=denied"),
    Address("/questions"),
    Address("/questions/which-chinese-makers-build-in-the-eu?view=map"),
    Address("/questions/how-the-duty-of-canada-developed?view=time"),
    Address("/questions/duty?maker=geely-holding&plant=cn&plant=ford-valencia-body-and-assembly&market=eu&date=2024-12-01&at=1"),
    Address("/marks"),
    Address("/sparql", kilobytes=180),
    Address("/ontology", kilobytes=80),
    Address("/ontology/Plant"),
    Address("/ontology/module/deal"),
    Address("/shapes"),
    Address("/validate", kilobytes=180),
    Address("/validate/new"),
    Address("/validate/correct?claim=s34"),
    Address("/catalogue"),
    Address("/dumps/"),
    Address("/changes"),
    Address("/changes/1"),
    Address("/changes?iri=https://motorgraph.example/id/brand/volvo"),
    Address("/feed"),
    Address("/cite"),
    Address("/about"),
    Address("/docs"),
    Address("/docs/tutorial"),
    Address("/docs/http"),
    Address("/docs/addresses"),
    Address("/licence"),
    Address("/id/plant/ford-valenca", status=404),
    Address("/nothing", status=404),
)
STOPS_AT = ("/", "/page/deal/ford-geely-2026", "/changes", "/nothing")
"""Where every stop of the Tab key is looked at."""
