"""The search for the raw of each JPEG: names and times propose, pictures settle what is in doubt.

::

    by name  --surely-->  pair
       |  in doubt           several, a name that was only made out, or times that do not agree
       v
    by time  --surely-->  pair
       |  in doubt
       v
    looked at: the same shot, another one, or too little to tell
       |  nothing was proposed, or all of it shows other shots
       v
    looked for among all raws
"""

from __future__ import annotations

import filecmp
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from rawback.batch.capture import UNKNOWN, Agreement, Capture, jpeg_capture, raw_capture
from rawback.batch.names import jpeg_keys, raw_keys
from rawback.batch.pairing import Ambiguity, Match, Pair
from rawback.batch.pictures import Pictures, Votes
from rawback.batch.storage import display_name, is_local
from rawback.errors import RawbackError
from rawback.files import label
from rawback.parallel import in_threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from rawback.batch.pairing import Basis
    from rawback.batch.sources import SourceFile
    from rawback.geometry.registration import Comparison
    from rawback.types import Progress

__all__ = ["Matcher"]

_CLEARLY, _LIKELY = 0.03, 0.1
"""By how much the pictures of the right raw agree better than those of the next likely one; and by
how much worse at most, if it is the right one nevertheless."""

_ALONE = "No JPEG goes with it."
_NO_RAW = "No raw has its name or time."
_SHOWN_BY_NONE = "No raw has its name or time, and none shows it."


@dataclass(frozen=True, slots=True)
class _Proposal:
    """Raws that a JPEG may be of.

    Attributes:
        raws: The best ones.
        basis: By what they were found.
        sure: Whether one that stands alone needs no look.
        fair: Whether one that stands alone is taken if the pictures show too little to tell.
        why: What is in doubt, if they do.
    """

    raws: tuple[SourceFile, ...]
    basis: Basis
    sure: bool
    fair: bool
    why: str


@dataclass(slots=True)
class Matcher:
    """All raws, by name and by moment, and what was found for the JPEGs.

    Attributes:
        raws: All raws.
        how: What decides.
        progress: Is told how many JPEGs have been looked at.
        pairs: JPEGs with their raws.
        ambiguous: JPEGs that may be of several raws.
        unmatched: JPEGs without a raw, and why.
    """

    raws: Sequence[SourceFile]
    how: Match
    progress: Progress | None = None
    pairs: list[Pair] = field(default_factory=list)
    ambiguous: list[Ambiguity] = field(default_factory=list)
    unmatched: dict[Path, str] = field(default_factory=dict)
    _by_name: dict[str, list[SourceFile]] = field(init=False)
    _by_second: dict[datetime, list[SourceFile]] | None = field(init=False, default=None)
    _captures: dict[Path, Capture | str] = field(init=False, default_factory=dict)
    _copies: dict[Path, Path] = field(init=False, default_factory=dict)
    _pictures: Pictures = field(init=False, default_factory=Pictures)

    def __post_init__(self) -> None:
        if self.how not in get_args(Match):
            message = f"{self.how!r} is none of {', '.join(get_args(Match))}"
            raise ValueError(message)
        self._by_name = defaultdict(list)
        for raw in self.raws:
            for key in raw_keys(raw.path):
                self._by_name[key].append(raw)

    def why_alone(self, raw: Path) -> str:
        """Why a raw is in no pair."""
        if raw in self._copies:
            return f"It is a copy of {display_name(self._copies[raw])}."
        capture = self._captures.get(raw)
        return capture if isinstance(capture, str) else _ALONE

    def match(self, jpegs: Sequence[SourceFile]) -> None:
        """Find the raws of JPEGs."""
        lost: list[SourceFile] = []
        for number, jpeg in enumerate(jpegs):
            self._tell("Matching names and times", number / len(jpegs))
            if not self._note(jpeg, self._match(jpeg)):
                lost.append(jpeg)
        if self.how == "pictures" and lost and self.raws:
            self._search(lost)
            order = {jpeg.path: number for number, jpeg in enumerate(jpegs)}
            self.pairs.sort(key=lambda pair: order[pair.jpeg])
            self.ambiguous.sort(key=lambda item: order[item.jpeg])

    def _note(self, jpeg: SourceFile, result: Pair | Ambiguity | str) -> bool:
        """Keep what came of a JPEG; whether anything did."""
        if isinstance(result, str):
            self.unmatched[jpeg.path] = result
            return False
        self.unmatched.pop(jpeg.path, None)
        if isinstance(result, Pair):
            self.pairs.append(result)
        else:
            self.ambiguous.append(result)
        return True

    def _match(self, jpeg: SourceFile) -> Pair | Ambiguity | str:
        """The pair of a JPEG, or what it may be of; or why it has no raw."""
        try:
            taken = jpeg_capture(jpeg.path) if self.raws and self.how != "names" else UNKNOWN
        except RawbackError as error:
            return Ambiguity(jpeg.path, (), str(error))
        why = _NO_RAW
        try:
            for proposal in self._proposals(jpeg, taken):
                result = self._settled(jpeg, proposal)
                if not isinstance(result, str):
                    return result
                why = result
        except RawbackError as error:
            raws = tuple(raw.path for raw in self._named(jpeg)[0])
            return Ambiguity(jpeg.path, raws, str(error))
        return why

    def _proposals(self, jpeg: SourceFile, taken: Capture) -> Iterable[_Proposal]:
        """What names and times say, the likelier first."""
        named, exact = self._named(jpeg)
        if self.how == "names":
            if named:
                yield self._several(self._nearest(named, jpeg), "name", sure=True)
            return
        agreements = {raw.path: self._agreement(raw, taken) for raw in named}
        agreeing = [raw for raw in named if agreements[raw.path] > Agreement.OTHER]
        if agreeing:
            best = max(agreements[raw.path] for raw in agreeing)
            likeliest = [raw for raw in agreeing if agreements[raw.path] == best]
            sure = best >= (Agreement.UNKNOWN if exact else Agreement.NEAR)
            yield self._several(
                self._nearest(likeliest, jpeg), "name", sure=sure or self.how == "times"
            )
        others = [raw for raw in self._simultaneous(taken) if raw not in agreeing]
        if others:
            # In a burst several are taken in one second, and only one of them may be here.
            yield self._several(self._nearest(others, jpeg), "time", sure=self.how == "times")
        contradicting = [raw for raw in named if raw not in agreeing]
        if contradicting:
            why = "the raw of this name was taken at another time or with another camera"
            yield _Proposal(tuple(contradicting), "name", sure=False, fair=False, why=why)

    def _several(self, raws: Sequence[SourceFile], basis: Basis, *, sure: bool) -> _Proposal:
        why = f"{len(raws)} raws have the same name or time"
        return _Proposal(tuple(raws), basis, sure=sure, fair=True, why=why)

    def _settled(self, jpeg: SourceFile, proposal: _Proposal) -> Pair | Ambiguity | str:
        """What comes of a proposal; why nothing, if the pictures say so."""
        raws = self._without_copies(proposal.raws)
        if len(raws) == 1 and proposal.sure:
            return Pair(raws[0].path, jpeg.path, jpeg.subfolders, proposal.basis)
        ambiguity = Ambiguity(jpeg.path, tuple(raw.path for raw in raws), proposal.why)
        if self.how != "pictures":
            return ambiguity
        return self._looked_at(jpeg, raws, proposal, ambiguity)

    def _looked_at(
        self,
        jpeg: SourceFile,
        raws: Sequence[SourceFile],
        proposal: _Proposal,
        ambiguity: Ambiguity,
    ) -> Pair | Ambiguity | str:
        from rawback.geometry.registration import Verdict

        seen = [(raw, self._pictures.compare(raw.path, jpeg.path)) for raw in raws]
        same = [(raw, seen) for raw, seen in seen if seen.verdict is Verdict.SAME]
        if same:
            return self._clearest(jpeg, same)
        unclear = [raw for raw, seen in seen if seen.verdict is Verdict.UNCLEAR]
        if len(unclear) == 1 and proposal.fair:
            return Pair(unclear[0].path, jpeg.path, jpeg.subfolders, proposal.basis)
        if unclear:
            return ambiguity
        # Small pictures do not show every crop. Where nothing but they speaks against a name, the
        # large ones have the last word.
        named = len(raws) == 1 and proposal.fair and proposal.basis == "name"
        if named and self._pictures.registers(raws[0].path, jpeg.path):
            return Pair(raws[0].path, jpeg.path, jpeg.subfolders, "picture")
        names = ", ".join(label(raw.path.name) for raw in raws)
        if len(raws) == 1:
            return f"{names} has its {proposal.basis}, and shows another shot."
        return f"{names} have its {proposal.basis}, and show other shots."

    def _clearest(
        self, jpeg: SourceFile, same: Sequence[tuple[SourceFile, Comparison]]
    ) -> Pair | Ambiguity:
        """Of raws that all show a JPEG, the one that it was made of."""
        best = max(seen.correlation for _, seen in same)
        likely = [raw for raw, seen in same if seen.correlation > best - _LIKELY]
        raws = self._without_copies(likely)
        if len(raws) > 1:
            own = self._pictures.own_raw([raw.path for raw in raws], jpeg.path)
            whole = [raw for raw, seen in same if seen.whole and raw in raws]
            close = [raw for raw, seen in same if seen.correlation > best - _CLEARLY]
            if own is not None:
                raws = [raw for raw in raws if raw.path == own]
            elif len(whole) == 1:
                # Others show more than the JPEG does, which would have to be cut just so.
                raws = whole
            else:
                raws = [raw for raw in raws if raw in close]
        if len(raws) == 1:
            return Pair(raws[0].path, jpeg.path, jpeg.subfolders, "picture")
        return Ambiguity(
            jpeg.path,
            tuple(raw.path for raw in raws),
            f"{len(raws)} raws look like it, and names and times do not tell which is the one",
        )

    def _search(self, lost: Sequence[SourceFile]) -> None:
        """Look at all raws for JPEGs that have no other trace."""
        total = len(self.raws) + len(lost)
        done = 0

        def looked() -> None:
            nonlocal done
            self._tell("Looking at pictures", done / total)
            done += 1

        votes = Votes([raw.path for raw in self.raws], self._pictures, looked)
        by_path = {raw.path: raw for raw in self.raws}

        def seek(jpeg: SourceFile) -> Pair | Ambiguity | None:
            for paths in votes.candidates(jpeg.path):
                result = self._shown(jpeg, [by_path[path] for path in paths])
                if result is not None:
                    return result
            return None

        for jpeg, result in zip(lost, in_threads(seek, lost), strict=True):
            looked()
            why = self.unmatched[jpeg.path]
            self._note(jpeg, result or (_SHOWN_BY_NONE if why == _NO_RAW else why))

    def _shown(self, jpeg: SourceFile, raws: Sequence[SourceFile]) -> Pair | Ambiguity | None:
        """The raw that a JPEG shows, if one does for certain."""
        from rawback.geometry.registration import Verdict

        seen = [(raw, self._pictures.compare(raw.path, jpeg.path)) for raw in raws]
        same = [(raw, seen) for raw, seen in seen if seen.verdict is Verdict.SAME]
        return self._clearest(jpeg, same) if same else None

    def _named(self, jpeg: SourceFile) -> tuple[list[SourceFile], bool]:
        """Raws of a JPEG's name, and whether that is its very name."""
        exact, derived = jpeg_keys(jpeg.path)
        for key in (*exact, *derived):
            if key in self._by_name:
                return self._by_name[key], key in exact
        return [], False

    def _simultaneous(self, taken: Capture) -> list[SourceFile]:
        """Raws of a moment, and of the same camera as far as is known."""
        if self._by_second is None:
            self._by_second = defaultdict(list)
            for raw in self.raws:
                capture = self._look_up(raw.path)
                if isinstance(capture, Capture):
                    for second in capture.seconds:
                        self._by_second[second].append(raw)
        near = {raw.path: raw for second in taken.seconds for raw in self._by_second[second]}
        return [raw for raw in near.values() if self._agreement(raw, taken) is Agreement.SAME]

    def _nearest(self, raws: Sequence[SourceFile], jpeg: SourceFile) -> Sequence[SourceFile]:
        """Those in the same folder, else in the same one below another source, else all."""
        beside = [raw for raw in raws if raw.path.parent == jpeg.path.parent]
        return beside or [raw for raw in raws if raw.subfolders == jpeg.subfolders] or raws

    def _agreement(self, raw: SourceFile, taken: Capture) -> Agreement:
        """How far a raw's moment and camera agree with a JPEG's.

        Raises:
            RawbackError: The raw cannot be read.
        """
        capture = self._look_up(raw.path)
        if isinstance(capture, str):
            raise RawbackError(capture)
        return Agreement.OTHER if taken.is_other_camera(capture) else taken.agreement(capture)

    def _look_up(self, raw: Path) -> Capture | str:
        """A raw's moment; why it cannot be read."""
        if raw not in self._captures:
            try:
                self._captures[raw] = raw_capture(raw)
            except RawbackError as error:
                self._captures[raw] = str(error)
        return self._captures[raw]

    def _without_copies(self, raws: Sequence[SourceFile]) -> list[SourceFile]:
        """Of files that are the same to the last byte, the first."""
        different: list[SourceFile] = []
        for raw in raws:
            for other in different:
                if _is_copy(raw.path, other.path):
                    self._copies[raw.path] = other.path
                    break
            else:
                different.append(raw)
        return different

    def _tell(self, stage: str, fraction: float) -> None:
        if self.progress is not None:
            self.progress(stage, fraction)


def _is_copy(one: Path, other: Path) -> bool:
    if not (is_local(one) and is_local(other)):
        return False
    try:
        # Sizes first, then bytes; what it has compared once it knows while both stay as they are.
        return one.stat().st_size > 0 and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
