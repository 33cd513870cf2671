"""A cache keeps what is used, and never more than it may."""

from resolvers.query.kept import Kept


def test_the_least_used_goes_first():
    kept: Kept[str] = Kept(2, 100)
    for key in "ab":
        kept.put(key, key.upper(), 1)
    assert kept.get("a") == "A"
    kept.put("c", "C", 1)
    assert [kept.get(key) for key in "abc"] == ["A", None, "C"]
    assert (kept.hits, kept.misses, len(kept)) == (3, 1, 2)


def test_what_is_heavy_makes_others_go_and_what_is_too_heavy_is_not_kept():
    kept: Kept[str] = Kept(100, 10)
    for key in "abc":
        kept.put(key, key, 3)
    kept.put("d", "d", 7)
    assert [kept.get(key) for key in "abcd"] == [None, None, "c", "d"]
    kept.put("e", "e", 11)
    assert [kept.get(key) for key in "cde"] == ["c", "d", None]
    kept.put("f", "f", 10)
    assert [kept.get(key) for key in "cdf"] == [None, None, "f"]


def test_what_stays_is_there_however_much_comes_after_it():
    kept: Kept[str] = Kept(2, 10)
    kept.stay("a", "A")
    for key in "bcd":
        kept.put(key, key.upper(), 1)
    assert [kept.get(key) for key in "abcd"] == ["A", None, "C", "D"]
    assert ("a" in kept, len(kept), kept.weight) == (True, 3, 2)
    assert (kept.hits, kept.misses) == (3, 1)
