"""Who stands above whom: the companies at the top of a chain of control, and the customs territory in which they sit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from motorgraph.explore.sheet import Row, Value

MOST_ABOVE = 200
"""Companies that are followed upwards from one."""
PARENTS = "?thing mg:parent|org:subOrganizationOf ?value . OPTIONAL { ?value skos:prefLabel ?words }"
SEATS = "?thing mg:basedIn/mg:inCustomsTerritory ?value . ?thing a mg:Organization . OPTIONAL { ?value skos:prefLabel ?words }"


@dataclass(frozen=True, slots=True)
class Control:
    """The companies directly or indirectly above each, and the territories in which organisations sit."""

    above: Mapping[str, Collection[str]]
    seats: Mapping[str, Value]

    @classmethod
    def of(cls, parents: Iterable[Row], seats: Mapping[str, Value]) -> Control:
        """From rows of `PARENTS` (as `thing`, `value`) and the seats by organisation."""
        above: dict[str, list[str]] = {}
        for row in parents:
            above.setdefault(row["thing"], []).append(row["value"])
        return cls(above, seats)

    def chain(self, organization: str) -> list[str]:
        """An organisation and all that stand above it, the nearest first."""
        found, todo = [organization], list(self.above.get(organization, ()))
        while todo and len(found) < MOST_ABOVE:
            each = todo.pop(0)
            if each not in found:
                found.append(each)
                todo.extend(self.above.get(each, ()))
        return found

    def tops(self, organization: str) -> list[str]:
        """Those of the chain that nothing stands above; of companies that hold each other all."""
        chain = self.chain(organization)
        return [each for each in chain if not self.above.get(each)] or chain

    def territories(self, organization: str) -> list[Value]:
        """Where those at the top sit; where the organisation itself does if that is not known."""
        tops = [self.seats[top] for top in self.tops(organization) if top in self.seats]
        own = [self.seats[organization]] if organization in self.seats else []
        return list(dict.fromkeys(tops or own))

    def groups(self, organizations: Collection[str]) -> dict[str, str]:
        """For each of some organisations the highest above it that is one of them too: who acts for its group among them."""
        above = {each: [other for other in self.chain(each) if other in organizations] for each in organizations}
        return {each: min(above[each], key=lambda other: (len(above[other]), other)) for each in organizations}
