# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rawback_gui.controllers.batch import Batch, Entry
from rawback_gui.models.pairing import pair_up
from rawback_gui.models.rates import parse_rate
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.dropping import FileTarget

if TYPE_CHECKING:
    from PyQt6.QtGui import QCloseEvent

    from rawback_gui.controllers.lanes import Post

__all__ = ["BatchWindow", "time_text"]

_RATES = ("quality 60", "200 kB", "0.1 bpp", "48 dB", "lossless")


def time_text(seconds: float) -> str:
    """A duration in words."""
    if seconds < 90:
        return tr("{} s").format(max(1, round(seconds)))
    if seconds < 5400:
        return tr("{} min").format(round(seconds / 60))
    return tr("{} h").format(round(seconds / 3600, 1))


class BatchWindow(FileTarget, QDialog):
    """Many shots at one rate."""

    def __init__(self, post: Post, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Batch"))
        self.setObjectName("batch")
        self.setAcceptDrops(True)
        self.batch = Batch(post, self._refresh)
        self.add = QPushButton(tr("Add &folder\u2026"))
        self.add_files = QPushButton(tr("Add f&iles\u2026"))
        self.clear = QPushButton(tr("C&lear"))
        self.rate = QComboBox()
        self.rate.setEditable(True)
        self.rate.addItems(_RATES)
        line = self.rate.lineEdit()
        if line is not None:
            # Files that are dropped on it are for the window.
            line.setAcceptDrops(False)
        self.rate.setAccessibleName(tr("Rate of all payloads"))
        self.rate.setMinimumWidth(self.fontMetrics().horizontalAdvance("quality 60") + 72)
        self.table = QTableWidget(0, 4)
        self.table.setAccessibleName(tr("Shots"))
        self.table.setHorizontalHeaderLabels(
            [tr("Shot"), tr("State"), tr("Payload, or what went wrong"), tr("Carrier")]
        )
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setWordWrap(True)
        vertical, header = self.table.verticalHeader(), self.table.horizontalHeader()
        if vertical is not None and header is not None:
            vertical.hide()
            vertical.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
            header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
            header.resizeSection(0, 250)
            header.resizeSection(1, 90)
            header.resizeSection(3, 190)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the batch"))
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.start = QPushButton(tr("&Start"))
        self.pause = QPushButton(tr("&Pause"))
        self.pause.setCheckable(True)
        self.stop = QPushButton(tr("&Cancel"))
        self.retry = QPushButton(tr("&Retry failed"))
        label = QLabel(tr("R&ate"))
        label.setBuddy(self.rate)
        top = QHBoxLayout()
        top.addWidget(self.add)
        top.addWidget(self.add_files)
        top.addWidget(self.clear)
        top.addStretch()
        top.addWidget(label)
        top.addWidget(self.rate)
        below = QHBoxLayout()
        below.addWidget(self.told, 1)
        for button in (self.retry, self.stop, self.pause, self.start):
            below.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.bar)
        layout.addLayout(below)
        self.resize(900, 480)
        self.add.clicked.connect(self._choose_folder)
        self.add_files.clicked.connect(self._choose_files)
        self.clear.clicked.connect(self.batch.clear)
        self.retry.clicked.connect(self.batch.retry)
        self.start.clicked.connect(self._start)
        self.start.setDefault(True)
        self.pause.toggled.connect(lambda on: self.batch.pause(wanted=on))
        self.stop.clicked.connect(self.batch.cancel)
        self._refresh()

    def add_paths(self, paths: list[Path]) -> None:
        """Add the shots among files and folders."""
        found = pair_up(paths)
        added = self.batch.add(found.pairs)
        if not added:
            self.told.setText(tr("There is no raw among these files that is not listed already."))

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Add a folder of raws and JPEGs"))
        if folder:
            self.add_paths([Path(folder)])

    def _choose_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, tr("Add raws and JPEGs"))
        if files:
            self.add_paths([Path(file) for file in files])

    def _start(self) -> None:
        rate = parse_rate(self.rate.currentText())
        if rate is None:
            self.told.setText(
                tr("Type a rate such as 200 kB, 0.1 bpp, 48 dB, quality 60 or lossless.")
            )
            return
        self.batch.start(rate)

    def take_files(self, paths: list[Path]) -> None:
        """Add shots that were dropped."""
        self.add_paths(paths)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        # A hidden queue works on; the program's end stops it.
        if event is not None:
            event.ignore()
        self.hide()

    def _refresh(self) -> None:
        entries = self.batch.entries
        self.table.setRowCount(len(entries))
        states = {
            "waiting": tr("waiting"),
            "working": tr("working"),
            "done": tr("done"),
            "failed": tr("failed"),
        }
        for row, entry in enumerate(entries):
            state = states[entry.status]
            if entry.status == "working":
                state = f"{round(100 * entry.progress)} %"
            carrier = entry.output.name if entry.output is not None else ""
            for column, text in enumerate((entry.pair.name, state, entry.figures, carrier)):
                self._set(row, column, text, entry)
        running = self.batch.running
        self.bar.setValue(round(1000 * self.batch.progress))
        self.start.setEnabled(not running and any(e.status == "waiting" for e in entries))
        self.pause.setEnabled(running)
        if not running and self.pause.isChecked():
            self.pause.setChecked(False)
        self.stop.setEnabled(running)
        self.retry.setEnabled(not running and any(e.status == "failed" for e in entries))
        self.rate.setEnabled(not running)
        self.told.setText(self._sentence(entries))

    def _set(self, row: int, column: int, text: str, entry: Entry) -> None:
        item = self.table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
            item.setToolTip(str(entry.output) if column == 3 and entry.output else text)

    def _sentence(self, entries: tuple[Entry, ...]) -> str:
        done = sum(entry.status == "done" for entry in entries)
        failed = sum(entry.status == "failed" for entry in entries)
        if not entries:
            return tr("Add a folder, or drop files here: each raw goes with the JPEG of its name.")
        text = tr("{} of {} done").format(done, len(entries))
        if failed:
            text += tr(", {} failed").format(failed)
        left = self.batch.seconds_left
        if self.batch.paused:
            text += tr(", paused")
        elif left is not None:
            text += tr(", about {} left").format(time_text(left))
        return text + "."
