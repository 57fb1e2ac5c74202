# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch: many shots at one rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from PyQt6.QtCore import QModelIndex, Qt
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rawback_gui.controllers.batch import Batch, BatchOptions, Entry
from rawback_gui.models.pairing import Pair, pair_up
from rawback_gui.models.rates import parse_rate
from rawback_gui.models.texts import duration_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.dropping import FileTarget
from rawback_gui.views._qt.payload_choices import metadata_chooser, tune_chooser
from rawback_gui.views._qt.sentence_line import ProgressLine
from rawback_gui.views._qt.theme import Elided

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtGui import QCloseEvent

    from rawback import MetadataChoice, Tune
    from rawback_gui.controllers.workers import Post

__all__ = ["BatchWindow"]

_RATES = ("quality 60", "200 kB", "0.1 bpp", "48 dB", "lossless")

Where: TypeAlias = Literal["beside", "folder", "in_place"]
_WHERE: tuple[Where, ...] = ("beside", "folder", "in_place")


class BatchWindow(FileTarget, QDialog):
    """Shots with what came of them, and how all are embedded.

    Attributes:
        batch: The shots and the work on them.
        workers: How many work at a time; None for as many as there are cores.
    """

    def __init__(
        self, post: Post, open_pair: Callable[[Pair], None], parent: QWidget | None = None
    ) -> None:
        """Show an empty batch.

        Args:
            post: Runs a call on the window's thread.
            open_pair: Opens a shot in the main window.
            parent: That window.
        """
        super().__init__(parent)
        self.setWindowTitle(tr("Batch"))
        self.setObjectName("batch")
        self.setAcceptDrops(True)
        self.batch = Batch(post, self._refresh)
        self.workers: int | None = None
        self._open_pair = open_pair
        self._folder: Path | None = None
        self.add = QPushButton(tr("Add &folder\u2026"))
        self.add_files = QPushButton(tr("Add f&iles\u2026"))
        self.clear = QPushButton(tr("C&lear"))
        self.rate = QComboBox()
        self.where = QComboBox()
        self.folder = QPushButton(tr("Choose f&older\u2026"))
        self.overwrite = QCheckBox(tr("&Replace files that are there"))
        self.metadata = metadata_chooser(narrow=True)
        self.tune = tune_chooser(narrow=True)
        self.verify = QCheckBox(tr("&Verify what is written"))
        self.table = QTableWidget(0, 4)
        self.bar = ProgressLine()
        self.said = Elided()
        self.said.setObjectName("said")
        self.start = QPushButton(tr("&Start"))
        self.pause = QPushButton(tr("&Pause"))
        self.stop = QPushButton(tr("&Cancel"))
        self.retry = QPushButton(tr("Retr&y failed"))
        # What cannot be chosen anew in the middle of a run.
        self._fixed = (self.rate, self.where, self.overwrite, self.verify, self.metadata, self.tune)
        self._set_up()
        self._arrange()
        self.resize(940, 500)
        self._connect()
        self._refresh()

    def _set_up(self) -> None:
        self.rate.setEditable(True)
        self.rate.addItems(_RATES)
        line = self.rate.lineEdit()
        if line is not None:
            # Files that are dropped on it are for the window.
            line.setAcceptDrops(False)
        self.rate.setAccessibleName(tr("Rate of all payloads"))
        self.rate.setMinimumWidth(self.fontMetrics().horizontalAdvance("quality 60") + 72)
        texts = (tr("beside each JPEG"), tr("in a folder"), tr("into the JPEGs themselves"))
        for value, text in zip(_WHERE, texts, strict=True):
            self.where.addItem(text, value)
        self.where.setAccessibleName(tr("Where carriers are written"))
        self.verify.setToolTip(
            tr("Each raw is restored from the written bytes and compared, before its file counts.")
        )
        self.overwrite.setToolTip(
            tr("Otherwise a shot whose carrier is there from elsewhere fails, and nothing is lost.")
        )
        self.table.setAccessibleName(tr("Shots"))
        self.table.setHorizontalHeaderLabels(
            [tr("Shot"), tr("State"), tr("Payload, or what went wrong"), tr("Carrier")]
        )
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setWordWrap(True)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setToolTip(tr("Double-click opens a shot."))
        vertical, header = self.table.verticalHeader(), self.table.horizontalHeader()
        if vertical is not None and header is not None:
            vertical.hide()
            vertical.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
            header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
            header.resizeSection(0, 250)
            header.resizeSection(1, 90)
            header.resizeSection(3, 190)
        self.bar.setAccessibleName(tr("Progress of the batch"))

    def _arrange(self) -> None:
        rate = QLabel(tr("R&ate"))
        rate.setBuddy(self.rate)
        carriers = QLabel(tr("Carri&ers"))
        carriers.setBuddy(self.where)
        top = QHBoxLayout()
        for widget in (self.add, self.add_files, self.clear):
            top.addWidget(widget)
        top.addStretch()
        top.addWidget(rate)
        top.addWidget(self.rate)
        options = QHBoxLayout()
        for other in (carriers, self.where, self.folder, self.overwrite, self.verify):
            options.addWidget(other)
        options.addStretch()
        choices = QHBoxLayout()
        choices.addWidget(self.metadata, 2)
        choices.addSpacing(12)
        choices.addWidget(self.tune, 1)
        below = QHBoxLayout()
        below.addWidget(self.said, 1)
        for button in (self.retry, self.stop, self.pause, self.start):
            below.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addLayout(options)
        layout.addLayout(choices)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.bar)
        layout.addLayout(below)

    def _connect(self) -> None:
        self.add.clicked.connect(self._choose_folder)
        self.add_files.clicked.connect(self._choose_files)
        self.clear.clicked.connect(self.batch.clear)
        self.retry.clicked.connect(self._retry)
        self.start.clicked.connect(self._start)
        self.start.setDefault(True)
        self.pause.clicked.connect(lambda: self.batch.pause(wanted=not self.batch.paused))
        self.stop.clicked.connect(self.batch.cancel)
        self.where.activated.connect(self._where_chosen)
        self.folder.clicked.connect(self._choose_output)
        self.table.doubleClicked.connect(self._open_row)

    # Shots.

    def add_paths(self, paths: list[Path]) -> None:
        """Add the shots among files and folders."""
        added = self.batch.add(pair_up(paths).pairs)
        if not added:
            self.said.set_text(tr("There is no raw among these files that is not listed already."))

    def take_files(self, paths: list[Path]) -> None:
        """Add shots that were dropped."""
        self.add_paths(paths)

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Add a folder of raws and JPEGs"))
        if folder:
            self.add_paths([Path(folder)])

    def _choose_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, tr("Add raws and JPEGs"))
        if files:
            self.add_paths([Path(file) for file in files])

    def _open_row(self, index: QModelIndex) -> None:
        """Open a carrier with its raw, or the shot as it is."""
        entry = self.batch.entries[index.row()]
        self._open_pair(entry.pair)
        window = self.parentWidget()
        if window is not None:
            window.activateWindow()
            window.raise_()

    # Where to.

    @property
    def _target(self) -> Where:
        return next(value for value in _WHERE if value == self.where.currentData())

    def _where_chosen(self) -> None:
        if self._target == "folder" and self._folder is None:
            self._choose_output()
        self._refresh()

    def _choose_output(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Folder for the carriers"))
        self.use_folder(Path(folder) if folder else self._folder)

    def use_folder(self, folder: Path | None) -> None:
        """Write carriers into a folder; beside their JPEGs without one."""
        self._folder = folder
        self.where.setCurrentIndex(_WHERE.index("beside" if folder is None else "folder"))
        self._refresh()

    # What payloads are like.

    def show_choices(self, metadata: MetadataChoice, tune: Tune, *, verify: bool) -> None:
        """Show what is chosen for all payloads.

        Args:
            metadata: What they tell of the raw.
            tune: What errors are small for.
            verify: Whether what is written is read back and compared.
        """
        self.metadata.show_value(metadata)
        self.tune.show_value(tune)
        self.verify.setChecked(verify)

    def show_expert(self, *, on: bool) -> None:
        """Offer what experts choose, or leave it out."""
        self.tune.setVisible(on)

    # Work.

    def _options(self) -> BatchOptions | None:
        rate = parse_rate(self.rate.currentText())
        if rate is None:
            self.said.set_text(
                tr("Type a rate such as 200 kB, 0.1 bpp, 48 dB, quality 60 or lossless.")
            )
            return None
        return BatchOptions(
            rate=rate,
            output=self._folder if self._target == "folder" else None,
            in_place=self._target == "in_place",
            overwrite=self.overwrite.isChecked(),
            workers=self.workers,
            metadata=self.metadata.value,
            tune=self.tune.value,
            verify=self.verify.isChecked(),
        )

    def _start(self) -> None:
        options = self._options()
        if options is None:
            return
        if not self.batch.count("waiting"):
            # All again: what an earlier run has done is seen, and not done twice.
            self.batch.restart()
        self.batch.start(options)

    def _retry(self) -> None:
        options = self._options()
        if options is not None:
            self.batch.retry()
            self.batch.start(options)

    def may_close(self, parent: QWidget) -> bool:
        """Whether the program may end: asks while shots are being embedded."""
        if not self.batch.running:
            return True
        box = QMessageBox(parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(tr("Batch"))
        box.setText(tr("Shots are still being embedded."))
        box.setInformativeText(tr("What is done stays; the next batch goes on from there."))
        stop = box.addButton(tr("Stop and quit"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(tr("Go on"), QMessageBox.ButtonRole.RejectRole)
        box.exec()
        agreed = box.clickedButton() is stop
        box.deleteLater()
        return agreed

    def closeEvent(self, event: QCloseEvent | None) -> None:
        # A hidden batch works on; the program's end asks.
        if event is not None:
            event.ignore()
        self.hide()

    # Showing.

    def _refresh(self) -> None:
        entries = self.batch.entries
        self.table.setRowCount(len(entries))
        states = {
            "waiting": tr("waiting"),
            "working": tr("working"),
            "done": tr("done"),
            "already": tr("done already"),
            "failed": tr("failed"),
        }
        for row, entry in enumerate(entries):
            state = states[entry.status]
            if entry.status == "working":
                state = f"{round(100 * entry.progress)} %"
            carrier = entry.output.name if entry.output is not None else ""
            for column, text in enumerate((entry.pair.name, state, entry.figures, carrier)):
                self._set(row, column, text, entry)
        batch, running = self.batch, self.batch.running
        self.bar.show_fraction(batch.progress if running else None)
        self.start.setEnabled(not running and bool(entries))
        self.pause.setEnabled(running)
        self.pause.setText(tr("Resu&me") if batch.paused else tr("&Pause"))
        self.stop.setEnabled(running)
        self.retry.setEnabled(not running and batch.count("failed") > 0)
        for widget in (*self._fixed, self.clear):
            widget.setEnabled(not running)
        self.folder.setVisible(self._target == "folder")
        self.folder.setEnabled(not running)
        name = "" if self._folder is None else self._folder.name
        self.folder.setText(name or tr("Choose f&older\u2026"))
        self.folder.setToolTip("" if self._folder is None else str(self._folder))
        self.said.set_text(self._sentence())

    def _set(self, row: int, column: int, text: str, entry: Entry) -> None:
        item = self.table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
            item.setToolTip(str(entry.output) if column == 3 and entry.output else text)

    def _sentence(self) -> str:
        batch = self.batch
        if not batch.entries:
            return tr("Add a folder, or drop files here: each raw goes with the JPEG of its name.")
        if batch.error:
            return batch.error
        done, already, failed = (batch.count(s) for s in ("done", "already", "failed"))
        parts = [tr("{} of {} done").format(done + already, len(batch.entries))]
        if already:
            parts = [tr("{} done already").format(already)]
            if done:
                parts.insert(0, tr("{} done").format(done))
        if failed:
            parts.append(tr("{} failed").format(failed))
        left = batch.seconds_left
        if batch.paused:
            parts.append(tr("paused"))
        elif left is not None:
            parts.append(tr("about {} left").format(duration_text(left)))
        return ", ".join(parts) + "."
