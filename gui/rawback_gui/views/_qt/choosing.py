# SPDX-License-Identifier: GPL-3.0-or-later
"""Choices about payloads besides their rate: remembered, and alike wherever they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawback import MetadataChoice, Tune
    from rawback_gui.controllers.workspace import Workspace
    from rawback_gui.views._qt.batch_window import BatchWindow
    from rawback_gui.views._qt.payload_panel import PayloadPanel
    from rawback_gui.views._qt.settings import Settings

__all__ = ["Choosing"]


class Choosing:
    """Passes choices on to the open picture, the batch, and the settings."""

    def __init__(self, space: Workspace, settings: Settings, payload: PayloadPanel) -> None:
        """Begin with what was chosen last.

        Args:
            space: Codes and saves the open picture.
            settings: Remembers.
            payload: Where it is chosen for the open picture.
        """
        self._space = space
        self._settings = settings
        self._payload = payload
        self._batch: BatchWindow | None = None
        space.rates.metadata = settings.metadata()
        space.saving.verify = settings.flag("verify", otherwise=True)
        payload.metadata.chosen.connect(self._choose_metadata)
        payload.tune.chosen.connect(self._choose_tune)
        payload.verify_wanted.connect(self._choose_verify)
        self.show()

    def join(self, batch: BatchWindow) -> None:
        """Let the batch have the same choices."""
        self._batch = batch
        batch.metadata.chosen.connect(self._choose_metadata)
        batch.tune.chosen.connect(self._choose_tune)
        batch.verify.toggled.connect(self._choose_verify)
        self.show()

    def show(self) -> None:
        """Show what is chosen."""
        space = self._space
        for place in (self._payload, self._batch):
            if place is not None:
                place.show_choices(space.rates.metadata, space.tune, verify=space.saving.verify)

    def _choose_metadata(self, choice: MetadataChoice) -> None:
        self._settings.keep_metadata(choice)
        self._space.rates.choose_metadata(choice)
        self.show()

    def _choose_tune(self, tune: Tune) -> None:
        # Not remembered: it is for comparisons, and no start is to be one of them by mistake.
        self._space.use_tune(tune)
        self.show()

    def _choose_verify(self, on: bool) -> None:
        if on != self._space.saving.verify:
            self._settings.keep_flag("verify", on=on)
            self._space.saving.verify = on
            self.show()
