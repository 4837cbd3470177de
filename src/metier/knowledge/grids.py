"""Where ruled lines bound a table: grids, whose cells are boxes, and areas between lines that only go across."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from metier.knowledge.layout import Rectangle
from metier.knowledge.rules import NEAR, Rule, Rules, levels

_MOST_CELLS = 20_000
_LEAST_RULES = 3  # that go across make an area


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell: its first row and column, how many it goes over, and its box in points."""

    row: int
    column: int
    rows: int
    columns: int
    box: Rectangle


@dataclass(frozen=True, slots=True)
class Grid:
    """xs: where columns begin and end; ys: where rows do, ascending; owners: of each field, row by row from the top,
    the number of its cell."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[GridCell, ...]
    owners: tuple[int, ...]

    @property
    def box(self) -> Rectangle:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def cell_at(self, x: float, y: float) -> int | None:
        """The number of the cell that holds a point."""
        column, level = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        if not (0 <= column < len(self.xs) - 1 and 0 <= level < len(self.ys) - 1):
            return None
        return self.owners[(len(self.ys) - 2 - level) * (len(self.xs) - 1) + column]


@dataclass(frozen=True, slots=True)
class Area:
    """Lines of one width, one below the other. ys: their heights, descending; across: the shorter ones among them."""

    left: float
    right: float
    ys: tuple[float, ...]
    across: tuple[Rule, ...]

    @property
    def box(self) -> Rectangle:
        return self.left, self.ys[-1], self.right, self.ys[0]


def bounded(rules: Rules) -> tuple[list[Grid], list[Area]]:
    """The grids of a page, the smaller first, and its areas."""
    grids, loose = [], []
    for across, down in _connected(rules):
        grid = _grid(across, down) if down else None
        if grid is not None:
            grids.append(grid)
        else:
            loose += across
    grids.sort(key=lambda grid: (grid.xs[-1] - grid.xs[0]) * (grid.ys[-1] - grid.ys[0]))
    return grids, list(_areas(loose))


def _connected(rules: Rules) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Rules that meet, directly or by others."""
    left = set(range(len(rules.down)))
    waiting = set(range(len(rules.across)))
    while waiting:
        work: list[tuple[bool, int]] = [(True, waiting.pop())]
        across: list[Rule] = []
        down: list[Rule] = []
        while work:
            is_across, number = work.pop()
            rule = rules.across[number] if is_across else rules.down[number]
            (across if is_across else down).append(rule)
            others, pool = (rules.down, left) if is_across else (rules.across, waiting)
            met = [one for one in pool if rule.reaches(others[one].at) and others[one].reaches(rule.at)]
            pool.difference_update(met)
            work += [(not is_across, one) for one in met]
        yield across, down


def _grid(across: Sequence[Rule], down: Sequence[Rule]) -> Grid | None:
    """The cells between rules that meet; None for a single box, a single column, or a drawing.

    A table may be open at its sides: then it ends where its rules do.
    """
    xs = levels([*(rule.at for rule in down), min(rule.start for rule in across), max(rule.end for rule in across)])
    ys = levels([*(rule.at for rule in across), min(rule.start for rule in down), max(rule.end for rule in down)])
    wide, high = len(xs) - 1, len(ys) - 1
    if wide < 2 or high < 1 or wide * high > _MOST_CELLS:
        return None
    owners = list(range(wide * high))
    by_x = [[rule for rule in down if abs(rule.at - x) <= NEAR] for x in xs]
    by_y = [[rule for rule in across if abs(rule.at - y) <= NEAR] for y in ys]

    def root(field: int) -> int:
        while owners[field] != field:
            field = owners[field]
        return field

    for row in range(high):
        low = high - 1 - row  # rows count from the top, heights from below
        middle = (ys[low] + ys[low + 1]) / 2
        for column in range(wide):
            field = row * wide + column
            if column + 1 < wide and not any(rule.reaches(middle) for rule in by_x[column + 1]):
                owners[root(field + 1)] = root(field)
            if low > 0 and not any(rule.reaches((xs[column] + xs[column + 1]) / 2) for rule in by_y[low]):
                owners[root(field + wide)] = root(field)
    fields: dict[int, list[tuple[int, int]]] = {}
    for field in range(wide * high):
        fields.setdefault(root(field), []).append(divmod(field, wide))
    numbers = {owner: number for number, owner in enumerate(fields)}
    cells = [_cell(own, xs, ys) for own in fields.values()]
    return Grid(tuple(xs), tuple(ys), tuple(cells), tuple(numbers[root(field)] for field in range(wide * high)))


def _cell(fields: Sequence[tuple[int, int]], xs: Sequence[float], ys: Sequence[float]) -> GridCell:
    rows, columns = [row for row, _ in fields], [column for _, column in fields]
    top, left, bottom, right = min(rows), min(columns), max(rows), max(columns)
    high = len(ys) - 1
    box = xs[left], ys[high - 1 - bottom], xs[right + 1], ys[high - top]
    return GridCell(top, left, bottom - top + 1, right - left + 1, box)


def _areas(rules: Sequence[Rule]) -> Iterator[Area]:
    groups: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: -rule.at):
        for group in groups:
            if abs(group[0].start - rule.start) <= NEAR and abs(group[0].end - rule.end) <= NEAR:
                group.append(rule)
                break
        else:
            groups.append([rule])
    for group in groups:
        ys = levels(rule.at for rule in group)[::-1]
        if len(ys) >= _LEAST_RULES:
            left, right = group[0].start, group[0].end
            inner = [rule for rule in rules if rule not in group and ys[-1] < rule.at < ys[0]
                     and left - NEAR <= rule.start and rule.end <= right + NEAR]  # fmt: skip
            yield Area(left, right, tuple(ys), tuple(inner))
