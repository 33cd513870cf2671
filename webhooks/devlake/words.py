"""The words of trackers for how bad something is, in ours."""

# Of `severity`, else of `priority`; case, spaces, - and _ make no difference.
SEVERITY_WORDS = {
    "critical": (
        "critical",
        "blocker",
        "fatal",
        "highest",
        "urgent",
        "emergency",
        "p0",
        "p1",
        "s0",
        "s1",
        "sev0",
        "sev1",
    ),
    "major": ("major", "high", "error", "severe", "p2", "s2", "sev2"),
    "minor": ("minor", "medium", "normal", "moderate", "warning", "p3", "s3", "sev3"),
    "info": ("info", "low", "lowest", "trivial", "cosmetic", "p4", "p5", "s4", "s5", "sev4", "sev5"),
}
DEFAULT_SEVERITY = "major"

_SEVERITIES = {word: severity for severity, words in SEVERITY_WORDS.items() for word in words}


def severity_of(*words: str) -> str:
    """By the first word that is known, or DEFAULT_SEVERITY."""
    for word in words:
        found = _SEVERITIES.get("".join(character for character in word.casefold() if character not in " -_"))
        if found:
            return found
    return DEFAULT_SEVERITY
