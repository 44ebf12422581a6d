"""Let through an analyst's question, and nothing that changes data or reaches beyond the call records.

The engine's own read-only mode is not enough: chDB reads files by the function file(), writes them by INTO OUTFILE,
runs several statements at once, and opens a file where a table's name looks like one. So the text is looked at first:
word by word here, then as the engine itself parses it (`EXPLAIN AST`, which runs nothing).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, NoReturn

from dialer.errors import BadInput

TEXT_MAX: Final = 20_000
SYSTEM_TABLES: Final = frozenset({
    "system.columns", "system.data_type_families", "system.databases", "system.functions", "system.numbers",
    "system.one", "system.parts", "system.tables", "system.time_zones",
})  # fmt: skip
TABLE_FUNCTIONS: Final = frozenset({
    "generate_series", "generateseries", "null", "numbers", "numbers_mt", "sqlstandardvalues", "values", "zeros",
    "zeros_mt",
})  # fmt: skip
"""Table functions that make rows out of nothing; every other one reads from somewhere."""

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<text>'(?:[^'\\]|\\.|'')*')
    |(?P<name>`[^`\\\r\n]+`|"[^"\\\r\n]+"|[A-Za-z_][A-Za-z0-9_]*)
    |(?P<other>(?!/\*)[0-9.,()\[\]{}<>=!+*/%?:@^|&~-])""",
    re.VERBOSE | re.DOTALL,
)
_FIRST: Final = frozenset({"select", "with", "show", "describe", "desc", "explain", "("})
_KINDS: Final = (
    "SelectWithUnionQuery", "SelectQuery", "SelectIntersectExceptQuery", "DescribeQuery", "ShowTables", "ShowColumns",
    "ShowCreateTableQuery", "ShowCreateViewQuery",
)  # fmt: skip
_EXPLAIN: Final = re.compile(r"Explain EXPLAIN(?: AST| SYNTAX| PIPELINE| ESTIMATE| QUERY TREE)?")
_OWN_CLAUSES: Final = {
    "outfile": "INTO OUTFILE writes a file: choose --format and redirect the output",
    "infile": "FROM INFILE reads a file",
    "format": "leave FORMAT out and choose --format",
    "settings": "leave SETTINGS out; --seconds and --limit are the limits",
    "apply": "APPLY names a function out of sight: write the columns",
}
_REACHING: Final = re.compile(
    r"""file | filesystem\w* | dict(get\w*|has|isin) | joinget\w* | hascolumnintable | catboostevaluate | evalmlmethod
    | assigncentroid | naivebayes\w* | ai(classify|embed|extract|filter|generate|redact|similarity|translate)
    | addressto\w* | demangle | logtrace | sleep\w* | showcertificate | reversednsquery | getclienthttpheader
    | getserversetting | getserverport | getmacro | getmergetreesetting | tcpport | currentrequesturl | hostname
    | fullhostname | fqdn | getoskernelversion | globalvariable | zookeepersessionuptime | executable\w* | eval
    | connectionid | connection_id | serveruuid | buildid | lemmatize | synonyms | stem | regionto\w* | regionin
    | regionhierarchy | detect(charset|language\w*|programminglanguage|tonality) | timeseries\w*(group|tags)\w*
    | transactionid | transactionlatestsnapshot | transactionoldestsnapshot | pggetuserbyid | pg_get_userbyid
    | authenticateduser | authuser | showgrants""",
    re.VERBOSE,
)
_ELSEWHERE: Final = frozenset({
    "arrowstream", "bigquery", "cluster", "clusterallreplicas", "cosn", "dictionary", "filecluster", "fuzzjson",
    "fuzzquery", "gcs", "generaterandom", "hdfs", "hdfscluster", "input", "jdbc", "loop", "merge", "mongodb", "mysql",
    "odbc", "oss", "postgresql", "primes", "prometheusquery", "prometheusqueryrange", "python", "redis", "remote",
    "remotesecure", "s3", "s3cluster", "sqlite", "url", "urlcluster", "view", "viewexplain", "viewifpermitted",
    "ytsaurus", "format",
})  # fmt: skip
_ELSEWHERE_BEGIN: Final = (
    "azureblob",
    "deltalake",
    "hudi",
    "iceberg",
    "mergetree",
    "paimon",
    "timeseries",
    "executable",
)
_NO_TABLE: Final = "a table that is not one of the call records: SHOW TABLES lists them"
_LINE: Final = re.compile(r"(?P<indent> *)(?P<node>.*?)(?: \(alias .*?\))?(?: \(children \d+\))?")
_PLAIN_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")


class Question(NamedTuple):
    """A statement that may be asked, as far as its words tell."""

    text: str
    subqueries: frozenset[str]
    """The names that it gives to subqueries (`WITH x AS (`)."""


def read_question(text: str) -> Question:
    """Return the statement without its closing semicolon; BadInput when its words forbid it.

    The message repeats nothing of the text but words of SQL: texts hold phone numbers.
    """
    text = re.sub(r"(\s|;)+\Z", "", text)
    if len(text) > TEXT_MAX:
        raise BadInput(f"the statement is longer than {TEXT_MAX} characters")
    words = list(_words(text))
    if not words or words[0] not in _FIRST:
        raise BadInput("only questions are answered: begin with SELECT, WITH, SHOW, DESCRIBE or EXPLAIN")
    for word, after in itertools.pairwise([*words, ""]):
        if word in _OWN_CLAUSES and not (word == "format" and after == "("):
            raise BadInput(_OWN_CLAUSES[word])
        if _REACHING.fullmatch(word):
            _refuse(word)
    given = (name for name, *then in zip(words, words[1:], words[2:], strict=False) if then == ["as", "("])
    return Question(text, frozenset(filter(_PLAIN_NAME.fullmatch, given)))


def check_tree(question: Question, tree: Iterable[str], tables: Collection[str]) -> None:
    """Refuse a statement by how the engine parses it: `tree` answers EXPLAIN AST, `tables` are what may be read."""
    lines = [_line(line) for line in tree]
    _check_kind(lines)
    known = {*tables, *SYSTEM_TABLES}
    for (_, above), (_, node) in itertools.pairwise(lines):
        kind, _, name = node.partition(" ")
        if kind == "TableIdentifier" and name not in known and name.casefold() not in question.subqueries:
            raise BadInput(_NO_TABLE)
        if kind == "Function":
            _check_function(name.casefold(), source=above.startswith("TableExpression"))
    _check_show(lines[0][1], known)


def _check_kind(lines: Sequence[tuple[int, str]]) -> None:
    kind = lines[0][1] if lines else ""
    if _EXPLAIN.fullmatch(kind):
        if any(indent == 1 and node.startswith("Select") for indent, node in lines):
            return
        raise BadInput("EXPLAIN takes a SELECT here")
    if not kind.startswith(_KINDS):
        raise BadInput("only questions are answered: SELECT, WITH, SHOW TABLES, SHOW CREATE, DESCRIBE, EXPLAIN SELECT")


def _check_function(name: str, *, source: bool) -> None:
    if source and name not in TABLE_FUNCTIONS:
        _refuse(name)
    if name != "format" and (name in _ELSEWHERE or name.startswith(_ELSEWHERE_BEGIN)):
        _refuse(name)
    if _REACHING.fullmatch(name):
        _refuse(name)


def _check_show(kind: str, known: Collection[str]) -> None:
    """SHOW CREATE names its table in the first line only: `ShowCreateTableQuery database table`."""
    word, _, name = kind.partition(" ")
    if word.startswith("ShowCreate") and ".".join(name.split()) not in known:
        raise BadInput(_NO_TABLE)


def _refuse(name: str) -> NoReturn:
    raise BadInput(f"the name {name} is refused: it reaches beyond the call records, or makes others wait")


def _words(text: str) -> Iterator[str]:
    """Yield names, numbers' digits and signs in order, casefolded; BadInput for what is no plain SQL."""
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise BadInput(_odd(text[at]))
        at = token.end()
        if token["name"]:
            yield token["name"].strip('`"').casefold()
        elif token["other"]:
            yield token["other"]


def _odd(letter: str) -> str:
    if letter == ";":
        return "one statement at a time: there is a semicolon inside"
    if letter in "'`\"/":
        return "a quotation or comment that does not end, or a backslash or line break in a quoted name"
    return "a sign that is no plain SQL outside quotation marks; names with other letters belong between backticks"


def _line(line: str) -> tuple[int, str]:
    found = _LINE.fullmatch(line)
    return (len(found["indent"]), found["node"]) if found else (0, "")
