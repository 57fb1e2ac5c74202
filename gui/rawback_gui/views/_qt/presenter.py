# SPDX-License-Identifier: GPL-3.0-or-later
"""What the widgets show of the workspace: each change reaches those that it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer

from rawback_gui.models.filenames import shortened
from rawback_gui.models.gain import gain_sentence, size_text
from rawback_gui.models.planes import channels_of
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.pane_label import PaneLabel, source_name
from rawback_gui.views._qt.readout import readout_text
from rawback_gui.views._qt.widgets import PAYLOAD_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback_gui.controllers.document import Document
    from rawback_gui.controllers.workspace import Workspace
    from rawback_gui.models.state import Source
    from rawback_gui.views._qt.settings import Settings
    from rawback_gui.views._qt.thumbnails import Thumbnails
    from rawback_gui.views._qt.widgets import Widgets

__all__ = ["Presenter"]

_SUBJECT = 24
"""Letters of the name of what is opened, beside how far that is."""

_PATIENCE_MS = 200
"""After which a picture that is not yet what is wanted is said to be updating."""


class Presenter:
    """Shows a workspace in widgets.

    Attributes:
        expert: Whether figures for experts are shown.
        label_timer: Runs before a picture is said to be updating.
    """

    def __init__(
        self,
        widgets: Widgets,
        space: Workspace,
        settings: Settings,
        thumbnails: Thumbnails,
        check_actions: Callable[[], None],
    ) -> None:
        """Show nothing yet.

        Args:
            widgets: What shows it.
            space: What is shown.
            settings: Remembers what was open.
            thumbnails: Keeps small pictures of it.
            check_actions: Called when other actions may be possible.
        """
        self._widgets = widgets
        self._space = space
        self._settings = settings
        self._thumbnails = thumbnails
        self._check_actions = check_actions
        self.expert = settings.flag("expert", otherwise=False)
        self.label_timer = QTimer(widgets.central)
        self.label_timer.setSingleShot(True)
        self.label_timer.setInterval(_PATIENCE_MS)
        self.label_timer.timeout.connect(self._show_late)
        self._late = False
        self._calls: dict[str, Callable[[], None]] = {
            "document": self.show_document,
            "state": self.show_state,
            "progress": self.show_progress,
            "notices": self.show_notices,
            "curve": self.show_rate,
            "rate": self.show_rate,
            "figures": self.show_rate,
            "pictures": self.show_pictures,
            "statistics": self.show_statistics,
            "shots": check_actions,
        }

    def refresh(self, change: str) -> None:
        """Show what has changed, by its name."""
        if change in self._calls:
            self._calls[change]()

    # The picture.

    def show_document(self) -> None:
        """Show another document, or that there is none."""
        widgets, document = self._widgets, self._space.document
        widgets.pages.setCurrentIndex(0 if document is None else 1)
        if document is None:
            self.show_recent()
        else:
            self._remember(document)
        alone = document is not None and not document.has_original
        if alone and widgets.rate.isVisibleTo(widgets.central):
            widgets.panel.setCurrentIndex(PAYLOAD_PAGE)
        widgets.rate.setVisible(not alone)
        widgets.carrier.setVisible(alone)
        info = None if document is None or document.opened is None else document.opened.info
        if document is not None and info is not None:
            widgets.carrier.show_carrier(info, document.pair.name)
        widgets.payload.show_contents(info, 0 if document is None else document.jpeg_bytes)
        widgets.panel.setTabEnabled(1, not alone)
        widgets.panel.setTabText(PAYLOAD_PAGE, tr("Inside") if alone else tr("Payload"))
        widgets.look.show_document(document)
        if document is not None:
            widgets.errors.show_channels(channels_of(document.frame.mosaic))
        self.show_state()
        self.show_rate()
        self.show_pictures()
        self.show_statistics()

    def _remember(self, document: Document) -> None:
        self._settings.keep_recent(document.pair)
        if document.registered:
            self._thumbnails.keep(document)

    def show_recent(self) -> None:
        """List what was open lately."""
        self._widgets.start.show_recent(self._settings.recent(), self._thumbnails.path)

    def show_state(self) -> None:
        """Show how pictures are looked at."""
        widgets, state = self._widgets, self._space.resolved
        widgets.look.show_state(state, picking=widgets.canvas.picking)
        widgets.payload.show_overlays(state, self._space.overlays)
        document = self._space.document
        if document is not None:
            widgets.canvas.show_clipping(state.clipping, document.clipped)
        self._show_labels()
        self._check_actions()

    def show_pictures(self) -> None:
        """Show what was drawn."""
        document = self._space.document
        frame = None if document is None else document.frame
        self._widgets.canvas.show_pictures(self._space.pictures, frame, self._space.overlays)
        self._show_labels()

    def _show_late(self) -> None:
        """Say that pictures are not there yet, where they still are not."""
        self._late = not self._space.drawn
        self._show_labels()

    def _show_labels(self) -> None:
        """The labels of the panes, and everything that tells how far pictures are."""
        widgets, space = self._widgets, self._space
        state = space.resolved
        if space.drawn:
            self._late = False
            self.label_timer.stop()
        elif not self._late and not self.label_timer.isActive():
            # Most pictures are there before anybody could read that they are not.
            self.label_timer.start()
        updating = self._late
        self._label(widgets.canvas.left, state.left, updating=updating)
        self._label(widgets.canvas.right, state.right, updating=updating)
        names = (source_name(state.left), source_name(state.right))
        widgets.canvas.show_state(state, " / ".join(names))
        widgets.errors.show_state(state, space.pictures.error_scale, updating=updating)

    def _label(self, label: PaneLabel, source: Source, *, updating: bool) -> None:
        document = self._space.document
        if document is None:
            return
        there: frozenset[Source] = frozenset(("carrier", "restored"))
        if document.has_original:
            there |= {"original", "error"}
        label.show_source(
            source,
            pushed=self._space.state.development.pushed,
            there=there,
            enabled=document.sources,
            details=self._details(document, source, updating=updating),
        )

    def _details(self, document: Document, source: Source, *, updating: bool) -> str:
        """What the picture in a pane is of, besides its name."""
        space, parts = self._space, []
        pictures = space.pictures
        if source in pictures.sources and source in ("restored", "error") and pictures.rate:
            now = space.restored
            earlier = now is None or pictures.rate != now.rate
            # What a picture is of, whatever the slider says meanwhile.
            size = space.rates.size_at(pictures.rate if earlier else space.rates.rate)
            parts.append(tr("still {}").format(size) if earlier and updating else size)
        if source == "restored" and space.grain.cfa is not None:
            parts.append(tr("with grain"))
        if source == "carrier" and not document.registered and document.has_original:
            opening = self._space.feedback.progress
            coming = opening is not None and opening.work == "open"
            parts.append(tr("not aligned yet") if coming else tr("not aligned"))
        if updating and (source in ("restored", "error") or not pictures.sources):
            parts.append(tr("updating"))
        return " \u00b7 ".join(parts)

    def show_hovered(self, place: tuple[float, float] | None) -> None:
        """Show the sample at a place of the upright picture, or none."""
        found = None if place is None else self._space.readout(*place)
        self._widgets.canvas.show_readout("" if found is None else readout_text(found))

    # Figures.

    def show_rate(self) -> None:
        """Show the rate and what it buys."""
        widgets, space = self._widgets, self._space
        document = space.document
        pair = document is not None and document.has_original
        rates = space.rates if pair else None
        widgets.rate.show_rates(rates, ticks_shown=self.expert)
        widgets.payload.show_rates(rates if document is None or pair else None)
        widgets.payload.show_overlays(space.resolved, space.overlays)
        widgets.payload.show_expert(on=self.expert)
        self._show_labels()
        self._show_sentence()
        self._check_actions()

    def _show_sentence(self) -> None:
        space, document = self._space, self._space.document
        if document is None:
            self._widgets.sentence.show_sentence("")
            return
        if document.opened is not None:
            payload = document.opened.info.payload_bytes
            text = size_text(document.jpeg_bytes, payload, measured=True)
        else:
            figures = space.rates.figures
            measured = figures is not None and figures.measured
            size = None if figures is None else figures.payload_bytes
            text = size_text(document.jpeg_bytes, size, measured=measured)
            if document.prepared:
                text += ": " + gain_sentence(space.rates.gained)
        self._widgets.sentence.show_sentence(text)

    def show_statistics(self) -> None:
        """Show the errors of the selected region."""
        space = self._space
        unit = space.state.errors.unit_text
        self._widgets.errors.show_statistics(space.statistics, space.state.selection, unit)

    # Work and messages.

    def show_progress(self) -> None:
        """Show how far work is."""
        widgets, progress = self._widgets, self._space.feedback.progress
        widgets.progress.show_fraction(None if progress is None else progress.fraction)
        opening, document = self._space.opening, self._space.document
        name = "" if opening is None else opening.name
        other = opening is not None and document is not None and opening != document.pair
        widgets.sentence.show_progress(progress, shortened(name, _SUBJECT) if other else "")
        widgets.start.show_opening(name, None if opening is None else progress)
        self._check_actions()

    def show_notices(self) -> None:
        """Show the messages."""
        notices = self._space.feedback.notices
        self._widgets.toasts.show_notices(notices)
        self._widgets.start_toasts.show_notices(notices)
