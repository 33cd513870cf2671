"""Values of our scalars, for schemathesis: it loads this file by itself."""

import graphql
import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes


def _object(members):
    fields = [
        graphql.ObjectFieldNode(name=graphql.NameNode(value=name), value=value) for name, value in members.items()
    ]
    return graphql.ObjectValueNode(fields=tuple(fields))


_names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
_leaves = st.one_of(st.integers(-1000, 1000).map(nodes.Int), st.text(st.characters(codec="ascii")).map(nodes.String))
schemathesis.graphql.scalar("JSON", st.one_of(_leaves, st.dictionaries(_names, _leaves, max_size=3).map(_object)))
