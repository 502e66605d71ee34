"""The grammar of SPARQL 1.1, to say where a text departs from it, and what could stand there instead.

The engine tells the furthest place that any of its attempts came to, which lies beyond the mistake. SPARQL is LL(1) (§19.8): the
first token that no rule has room for is the mistake, and the rules say what they had room for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from motorgraph.tokens import Token, tokens

MOST_CHARACTERS = 100_000
"""Longer texts are not looked through: that would take as long as some queries may."""
NEWER = re.compile(r"<<|\{\||~|\bversion\b", re.IGNORECASE)
"""What may be of SPARQL 1.2, of which these rules know nothing."""

# A rule is what may stand for its name: a sequence of names, 'words' and 'marks', with ( | ) and ? * + as in the specification.
# Names in capitals are kinds of tokens. What the specification tells apart by the blanks between two brackets is one rule here.
RULES = r"""
Query      = Prologue ( Select Dataset* Where Modifiers | Construct | Describe | 'ASK' Dataset* Where Modifiers ) Values END
Update     = Prologue ( Operation ( ';' Update )? )?
Updates    = Update END
Prologue   = ( 'BASE' IRI | 'PREFIX' NAMESPACE IRI )*
Select     = 'SELECT' ( 'DISTINCT' | 'REDUCED' )? ( ( VARIABLE | '(' Expression 'AS' VARIABLE ')' )+ | '*' )
SubSelect  = Select Where Modifiers Values
Construct  = 'CONSTRUCT' ( '{' Triples? '}' Dataset* Where Modifiers | Dataset* 'WHERE' '{' Triples? '}' Modifiers )
Describe   = 'DESCRIBE' ( ( VARIABLE | Iri )+ | '*' ) Dataset* Where? Modifiers
Dataset    = 'FROM' 'NAMED'? Iri
Where      = 'WHERE'? Group
Modifiers  = GroupBy? Having? OrderBy? Limits?
GroupBy    = 'GROUP' 'BY' ( Call | '(' Expression ( 'AS' VARIABLE )? ')' | VARIABLE )+
Having     = 'HAVING' Constraint+
OrderBy    = 'ORDER' 'BY' ( ( 'ASC' | 'DESC' ) '(' Expression ')' | Constraint | VARIABLE )+
Limits     = 'LIMIT' NUMBER ( 'OFFSET' NUMBER )? | 'OFFSET' NUMBER ( 'LIMIT' NUMBER )?
Values     = ( 'VALUES' DataBlock )?
Operation  = 'LOAD' 'SILENT'? Iri ( 'INTO' 'GRAPH' Iri )? | ( 'CLEAR' | 'DROP' ) 'SILENT'? Graphs | 'CREATE' 'SILENT'? 'GRAPH' Iri
           | ( 'ADD' | 'MOVE' | 'COPY' ) 'SILENT'? Graph 'TO' Graph | 'WITH' Iri ( Delete Insert? | Insert ) Using* 'WHERE' Group
           | 'INSERT' ( 'DATA' Quads | Quads Using* 'WHERE' Group )
           | 'DELETE' ( 'DATA' Quads | 'WHERE' Quads | Quads Insert? Using* 'WHERE' Group )
Delete     = 'DELETE' Quads
Insert     = 'INSERT' Quads
Using      = 'USING' 'NAMED'? Iri
Graph      = 'DEFAULT' | 'GRAPH'? Iri
Graphs     = 'GRAPH' Iri | 'DEFAULT' | 'NAMED' | 'ALL'
Quads      = '{' Triples? ( 'GRAPH' ( VARIABLE | Iri ) '{' Triples? '}' '.'? Triples? )* '}'
Triples    = Subject ( '.' Triples? )?
Subject    = Simple Properties | '(' Node* ')' Properties? | '[' Properties? ']' Properties?
Properties = Verb Objects ( ';' ( Verb Objects )? )*
Verb       = VARIABLE | 'a' | Iri
Objects    = Node ( ',' Node )*
Node       = Simple | '(' Node* ')' | '[' Properties? ']'
Group      = '{' ( SubSelect | Block? ( Pattern '.'? Block? )* ) '}'
Block      = PathSubject ( '.' Block? )?
PathSubject    = Simple PathProperties | '(' PathNode* ')' PathProperties? | '[' PathProperties? ']' PathProperties?
PathProperties = PathVerb PathObjects ( ';' ( PathVerb PathObjects )? )*
PathVerb   = VARIABLE | Path
PathObjects    = PathNode ( ',' PathNode )*
PathNode   = Simple | '(' PathNode* ')' | '[' PathProperties? ']'
Path       = Steps ( '|' Steps )*
Steps      = Step ( '/' Step )*
Step       = '^'? ( Iri | 'a' | '!' ( OneOfSet | '(' ( OneOfSet ( '|' OneOfSet )* )? ')' ) | '(' Path ')' ) ( '?' | '*' | '+' )?
OneOfSet   = '^'? ( Iri | 'a' )
Pattern    = Group ( 'UNION' Group )* | 'OPTIONAL' Group | 'MINUS' Group | 'GRAPH' ( VARIABLE | Iri ) Group | 'LATERAL' Group
           | 'SERVICE' 'SILENT'? ( VARIABLE | Iri ) Group | 'FILTER' Constraint
           | 'BIND' '(' Expression 'AS' VARIABLE ')' | 'VALUES' DataBlock
DataBlock  = VARIABLE '{' Datum* '}' | '(' VARIABLE* ')' '{' ( '(' Datum* ')' )* '}'
Datum      = Iri | Literal | 'UNDEF'
Constraint = '(' Expression ')' | Call
Simple     = VARIABLE | Iri | Literal | BLANK
Literal    = STRING ( LANGUAGE | '^' '^' Iri )? | ( '+' | '-' )? NUMBER | 'true' | 'false'
Iri        = IRI | NAME
Expression = And ( '|' '|' And )*
And        = Comparison ( '&' '&' Comparison )*
Comparison = Sum ( '=' Sum | '!' '=' Sum | '<' '='? Sum | '>' '='? Sum | 'NOT'? 'IN' Expressions )?
Sum        = Product ( ( '+' | '-' ) Product )*
Product    = Unary ( ( '*' | '/' ) Unary )*
Unary      = ( '!' | '+' | '-' ) Unary | Primary
Primary    = '(' Expression ')' | VARIABLE | STRING ( LANGUAGE | '^' '^' Iri )? | NUMBER | 'true' | 'false' | Builtin
           | Iri Arguments?
Arguments  = '(' ( 'DISTINCT'? Expression ( ',' Expression )* )? ')'
Expressions    = '(' ( Expression ( ',' Expression )* )? ')'
Call       = Builtin | Iri Arguments
Builtin    = FUNCTION Expressions | 'NOT'? 'EXISTS' Group | 'COUNT' '(' 'DISTINCT'? ( '*' | Expression ) ')'
           | AGGREGATE '(' 'DISTINCT'? Expression ( ';' 'SEPARATOR' '=' STRING )? ')'
"""
_FUNCTIONS = """
    ABS ADJUST BNODE BOUND CEIL COALESCE CONCAT CONTAINS DATATYPE DAY ENCODE_FOR_URI FLOOR HASLANG HASLANGDIR HOURS IF IRI
    ISBLANK ISIRI ISLITERAL ISNUMERIC ISTRIPLE ISURI LANG LANGDIR LANGMATCHES LCASE MD5 MINUTES MONTH NOW OBJECT PREDICATE RAND
    REGEX REPLACE ROUND SAMETERM SECONDS SHA1 SHA256 SHA384 SHA512 STR STRAFTER STRBEFORE STRDT STRENDS STRLANG STRLANGDIR
    STRLEN STRSTARTS STRUUID SUBJECT SUBSTR TIMEZONE TRIPLE TZ UCASE URI UUID YEAR
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
AGGREGATES = {"AVG", "GROUP_CONCAT", "MAX", "MIN", "SAMPLE", "SUM"}

IN_WORDS = {
    "VARIABLE": "a variable",
    "IRI": "an IRI in <…>",
    "NAME": "a prefixed name",
    "NAMESPACE": "a prefix with its colon",
    "STRING": "a string",
    "NUMBER": "a number",
    "LANGUAGE": "a language tag",
    "BLANK": "a blank node",
    "FUNCTION": "a function",
    "AGGREGATE": "an aggregate",
    "END": "the end of the text",
}
TOGETHER: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"VARIABLE", "IRI", "NAME", "STRING", "NUMBER", "BLANK", "+", "-", "true", "false", "(", "["}), "a term"),
    (frozenset({"VARIABLE", "IRI", "NAME", "STRING", "NUMBER", "true", "false", "FUNCTION", "AGGREGATE", "COUNT", "(",
                "EXISTS", "NOT", "!", "+", "-"}), "an expression"),
    (frozenset({"IRI", "NAME", "a", "^", "!", "(", "VARIABLE"}), "a predicate (an IRI, a variable or a path)"),
    (frozenset({"IRI", "NAME", "a", "VARIABLE"}), "a predicate (an IRI or a variable)"),
    (frozenset({"IRI", "NAME"}), "an IRI"),
    (frozenset({"GRAPH", "OPTIONAL", "MINUS", "SERVICE", "FILTER", "BIND", "VALUES", "LATERAL", "{"}), "another pattern"),
    (frozenset({"*", "/", "?", "|"}), "more of the path"),
    (frozenset({"=", "<", ">", "!", "+", "-", "*", "/", "|", "&", "IN", "NOT"}), "an operator"),
)  # fmt: skip
"""What is said in a few words where all of it could stand."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a text leaves the grammar: line and column, counted from 1, and in words what is there and what could be."""

    line: int
    column: int
    words: str


def departure(text: str, start: str) -> Departure | None:
    """Where a text departs from the rule `start` (Query or Updates); None if it does not, or if these rules cannot tell."""
    if len(text) > MOST_CHARACTERS or NEWER.search(text):
        return None
    found = list(tokens(text))
    reading = _Reading(found, len(text))
    try:
        reading.take(Rule(start))
    except _Departed:
        return _told(text, reading)
    except RecursionError:  # nested more deeply than this process can follow
        return None
    return _undeclared(found, text) or _variable_in_data(found, text)


def _told(text: str, reading: _Reading) -> Departure:
    return _at(reading.token, text, _found(reading.token, text) + f"expected {_listed(reading.expected)}")


def _at(token: Token, text: str, words: str) -> Departure:
    before = text[: token.start]
    return Departure(before.count("\n") + 1, len(before) - before.rfind("\n"), words)


def _undeclared(found: list[Token], text: str) -> Departure | None:
    """The first prefix that is used and not declared before."""
    declared: set[str] = set()
    before = Token("mark", "", 0)
    for token in found:
        if token.kind == "name" and not token.text.startswith("_:"):
            prefix = token.text.partition(":")[0] + ":"
            if before.is_word("PREFIX"):
                declared.add(token.text)
            elif prefix not in declared:
                return _at(token, text, f"the prefix {prefix} is not declared; begin with PREFIX {prefix} <…>")
        before = token
    return None


def _found(token: Token, text: str) -> str:
    if token.kind == "end":
        return "the text ends here; "
    if token.kind == "mark" and token.text == "<" and not text[token.end : token.end + 1].isspace():
        return "this IRI is not closed, or holds a character that no IRI has; "
    if token.kind == "string" and not _is_closed(token.text):
        return "this string is not closed; "
    shown = token.text if len(token.text) <= 40 else token.text[:40] + "…"
    return f"found {shown} and "


def _is_closed(string: str) -> bool:
    return len(string) > 1 and string[-1] == string[0] and not (len(string) in (3, 4, 5) and string[:3] == string[0] * 3)


def _listed(expected: set[str]) -> str:
    """What could stand there, in words; what belongs together is one word."""
    left, said = set(expected), []
    for whole, word in TOGETHER:
        if whole <= expected and not whole.isdisjoint(left):
            said.append(word)
            left -= whole
    said += [_word(name) for name in sorted(left, key=lambda name: (name not in IN_WORDS, name))]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


def _word(name: str) -> str:
    return IN_WORDS.get(name) or (name if name.isalpha() else f"'{name}'")


def _variable_in_data(found: list[Token], text: str) -> Departure | None:
    """The first variable in the data of INSERT DATA or DELETE DATA."""
    depth, is_data = 0, False
    for token in found:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if depth == 0:
            is_data = token.is_word("DATA")
        elif is_data and token.kind == "variable":
            return _at(token, text, "data have no variables; use INSERT { … } WHERE { … } or DELETE { … } WHERE { … }")
    return None


# The rules as values


@dataclass(frozen=True, slots=True)
class Terminal:
    """One token, by one of its names."""

    name: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What another rule says."""

    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some parts."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A part between `least` and `most` times, of which none, one and any number occur."""

    part: Part
    least: int
    most: float


Part = Terminal | Rule | Sequence | Choice | Repeated
TIMES = {"?": (0, 1), "*": (0, float("inf")), "+": (1, float("inf"))}
KINDS = {*IN_WORDS}


@cache
def rules() -> dict[str, Part]:
    """All rules by name."""
    told = re.findall(r"^(\w+) *= (.*(?:\n +\|.*)*)", RULES, re.MULTILINE)
    return {name: _choice(re.findall(r"'[^' ]+'|\w+|[(|)?*+]", words)) for name, words in told}


def _choice(words: list[str]) -> Part:
    """Takes a choice from the front of the words of a rule."""
    parts = [_sequence(words)]
    while words and words[0] == "|":
        del words[0]
        parts.append(_sequence(words))
    return parts[0] if len(parts) == 1 else Choice(tuple(parts))


def _sequence(words: list[str]) -> Part:
    parts: list[Part] = []
    while words and words[0] not in ("|", ")"):
        word = words.pop(0)
        if word == "(":
            parts.append(_choice(words))
            del words[0]
        elif word in TIMES:
            parts.append(Repeated(parts.pop(), *TIMES[word]))
        elif word in KINDS or word.startswith("'"):
            parts.append(Terminal(word.strip("'")))
        else:
            parts.append(Rule(word))
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


@cache
def may_be_nothing(part: Part) -> bool:
    """Whether no token at all fits the part."""
    match part:
        case Terminal():
            return False
        case Rule():
            return may_be_nothing(rules()[part.name])
        case Sequence():
            return all(map(may_be_nothing, part.parts))
        case Choice():
            return any(map(may_be_nothing, part.parts))
        case Repeated():
            return part.least == 0 or may_be_nothing(part.part)


@cache
def first(part: Part) -> frozenset[str]:
    """What the first token of the part may be called."""
    match part:
        case Terminal():
            return frozenset({part.name})
        case Rule():
            return first(rules()[part.name])
        case Sequence():
            needed = next((i for i, inner in enumerate(part.parts) if not may_be_nothing(inner)), len(part.parts))
            return frozenset().union(*map(first, part.parts[: needed + 1]))
        case Choice():
            return frozenset().union(*map(first, part.parts))
        case Repeated():
            return first(part.part)


# Reading


class _Departed(Exception):
    """No rule has room for the next token."""


class _Reading:
    """The tokens of a text, how many of them have found their place, and what the rules had room for at the next."""

    def __init__(self, found: list[Token], end: int) -> None:
        self._tokens = [*found, Token("end", "", end)]
        self._place = 0
        self._names = _names(self.token)
        self.expected: set[str] = set()

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self._place]

    def take(self, part: Part) -> None:
        """Takes all tokens of a part. Raises _Departed at the first that has no place in it."""
        match part:
            case Rule():
                self.take(rules()[part.name])
            case Sequence():
                self._take_in_order(part)
            case Repeated():
                self._take_repeated(part)
            case _ if not self._begins(part):
                raise _Departed
            case Choice():
                self.take(next(inner for inner in part.parts if self._begins(inner)))
            case Terminal():
                self._step()

    def _take_in_order(self, part: Sequence) -> None:
        for inner in part.parts:
            if self._begins(inner) or not may_be_nothing(inner):
                self.take(inner)

    def _take_repeated(self, part: Repeated) -> None:
        times = 0
        while times < part.most and (times < part.least or self._begins(part.part)):
            self.take(part.part)
            times += 1

    def _begins(self, part: Part) -> bool:
        """Whether the next token may be the first of a part; notes what may."""
        begins = not self._names.isdisjoint(first(part))
        if not begins:
            self.expected |= first(part)
        return begins

    def _step(self) -> None:
        """Goes on to the next token."""
        self.expected = set()
        if self._place + 1 < len(self._tokens):
            self._place += 1
            self._names = _names(self.token)


def _names(token: Token) -> frozenset[str]:
    """What a token may be called in a rule."""
    match token.kind:
        case "string":
            return frozenset({"STRING"} if _is_closed(token.text) else ())
        case "name" if token.text.startswith("_:"):
            return frozenset({"BLANK"})
        case "name":
            return frozenset({"NAME", "NAMESPACE"} if token.text.endswith(":") else {"NAME"})
        case "word":
            return _names_of_word(token.text)
        case "mark":
            return frozenset({token.text})
    return frozenset({token.kind.upper()})


def _names_of_word(text: str) -> frozenset[str]:
    upper, lower = text.upper(), text.lower()
    if upper in FUNCTIONS:
        return frozenset({"FUNCTION"})
    if upper in AGGREGATES:
        return frozenset({"AGGREGATE"})
    return frozenset({text if text == "a" else lower if lower in ("true", "false") else upper})
