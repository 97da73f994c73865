"""The best assignment of rows to columns: as much benefit in total as one-to-one pairs can have."""

from __future__ import annotations

from heapq import heappop, heappush


def best_pairs(benefits: list[dict[int, float]]) -> list[int | None]:
    """For each row its column, or None; benefits: for each row {column: benefit above 0} of the pairs that may be.

    Successive shortest augmenting paths with potentials (Jonker and Volgenant's method on a sparse graph): the total
    is the greatest there is. A row stays without a column where that leaves more to the others. Deterministic.
    """
    of_row: list[int | None] = [None] * len(benefits)
    of_column: dict[int, int] = {}
    row_price = [0.0] * len(benefits)
    column_price: dict[int, float] = {}
    for row, edges in enumerate(benefits):
        row_price[row] = min([0.0, *(-benefit - column_price.get(column, 0.0) for column, benefit in edges.items())])
        _augment(row, benefits, of_row, of_column, row_price, column_price)
    return of_row


def _augment(
    start: int,
    benefits: list[dict[int, float]],
    of_row: list[int | None],
    of_column: dict[int, int],
    row_price: list[float],
    column_price: dict[int, float],
) -> None:
    """Give a row its place, moving others along the cheapest path; it ends at a free column or a row left without."""
    distance: dict[int, float] = {}
    reached_from: dict[int, int] = {}
    done: dict[int, float] = {}
    heap: list[tuple[float, int, int, int]] = []  # distance, 0 for a column and 1 for no column, column, row
    row, so_far = start, 0.0
    while True:
        price = so_far - row_price[row]
        heappush(heap, (price, 1, -1, row))
        for column, benefit in benefits[row].items():
            length = price - benefit - column_price.get(column, 0.0)
            if column not in done and length < distance.get(column, float("inf")):
                distance[column], reached_from[column] = length, row
                heappush(heap, (length, 0, column, row))
        so_far, is_none, column, row = heappop(heap)
        while not is_none and column in done:
            so_far, is_none, column, row = heappop(heap)
        if is_none or column not in of_column:
            break
        done[column] = so_far
        row = of_column[column]
    for settled, length in done.items():
        column_price[settled] = column_price.get(settled, 0.0) + length - so_far
        row_price[of_column[settled]] += so_far - length
    row_price[start] += so_far
    place = None if is_none else column
    while True:  # back along the path, each row taking what the next one gave up
        if place is not None:
            row = reached_from[place]
            of_column[place] = row
        given_up, of_row[row] = of_row[row], place
        if row == start:
            return
        place = given_up
