"""The pictures of the reports: each with its caption, its figures in words, and the function that draws it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import get_month_names
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.reports import charts
from courses.reports.charts import Bullet, Meaning, Series, Tile
from courses.reports.districts_by_period import per_inhabitants
from courses.reports.forms.filters import GROUPING_LABELS
from courses.reports.hours import Hours
from courses.reports.indicators import RowRate
from courses.reports.labels import indicators as indicator_labels
from courses.reports.labels import report as labels
from courses.reports.ledger import Figures
from courses.reports.periods import Period, PeriodUnit
from courses.reports.questions import Figure, Filters
from courses.reports.report_rows import ReportRow
from courses.reports.trends import Trend, without_gaps
from lms.core import fonts, languages
from lms.organisations.models import District

MAX_BARS = 20  # of a picture whose rows are no periods: the largest rows


@dataclass(frozen=True)
class Picture:
    """A picture of a report. description: its figures in words; empty where there is nothing to draw.

    draw: makes the SVG image, narrow for a phone if it is called with True. answer: stands beside the caption.
    """

    caption: str
    description: str
    draw: Callable[[bool], bytes]
    answer: str = ""


def on_paper(picture: Picture) -> str:
    """The wide image with the fonts of printed documents."""
    families = fonts.families()
    return charts.for_paper(picture.draw(False), families["sans"], families["bold"]).decode()


def enrolment(rows: Sequence[ReportRow], trend: Trend | None, filters: Filters, today: date) -> Picture:
    """The picture of the enrolment report: a trend year on year, or the bars of its rows, the largest first."""
    if trend is not None:
        return _trend(rows, trend, filters, today)
    caption = _("Person-times by %(grouping)s", grouping=str(GROUPING_LABELS[filters.grouping]).lower())
    description = described(rows, filters)
    unit = filters.grouping.period_unit
    bars: list[tuple[str, Figures]]
    if unit is not None:
        figures_of = {row.key: row.figures for row in rows}
        bars = [(key, figures_of.get(key, Figures())) for key in without_gaps(figures_of, unit)]
    else:
        largest = sorted(rows, key=lambda row: row.figures.person_times, reverse=True)[:MAX_BARS]
        bars = [(labels.row_name(row, filters.grouping), row.figures) for row in largest]
    series = [
        Series(str(labels.FIGURE_LABELS[Figure.NAMED]), [figures.named for _name, figures in bars], Meaning.NAMED),
        Series(
            str(labels.FIGURE_LABELS[Figure.COUNTED]), [figures.counted for _name, figures in bars], Meaning.COUNTED
        ),
    ]

    def draw(narrow: bool) -> bytes:
        return charts.stacked_bars(
            title=caption, description=description, names=[name for name, _figures in bars], series=series,
            upright=unit is not None and len(bars) > 1, narrow=narrow, nothing=_nothing(),
        )  # fmt: skip

    return Picture(caption, description, draw)


def _trend(rows: Sequence[ReportRow], trend: Trend, filters: Filters, today: date) -> Picture:
    year = trend.year
    grouping = str(GROUPING_LABELS[filters.grouping]).lower()
    caption = _("Person-times by %(grouping)s, against the year before", grouping=grouping)
    this_name, before_name = (_("This period"), _("The year before")) if year is None else (str(year), str(year - 1))
    answer = compared(trend, today)
    description = " ".join(filter(None, (described(rows, filters), answer)))
    periods = len(trend.names)
    has_before = any(value is not None for value in trend.before)
    older = sorted(trend.earlier)
    earlier = (
        (str(older[0]) if len(older) == 1 else f"{older[0]}–{older[-1]}", [trend.earlier[of_year] for of_year in older])
        if older
        else None
    )
    target = None
    if trend.target is not None:
        label = _("Target, spread evenly: %(number)s", number=languages.whole(round(trend.target / periods)))
        target = Series(label, [trend.target / periods] * periods, Meaning.TARGET)

    def draw(narrow: bool) -> bytes:
        return charts.trend(
            title=caption, description=description, names=_axis_names(trend),
            this=Series(this_name, trend.this, Meaning.PERSON_TIMES),
            before=Series(before_name, trend.before, Meaning.LAST_YEAR) if has_before else None,
            target=target, earlier=earlier, narrow=narrow, nothing=_nothing(),
        )  # fmt: skip

    return Picture(caption, description, draw, answer)


def _axis_names(trend: Trend) -> list[str]:
    """The names of the periods beneath the axis: without the year where the lines are of several years."""
    if trend.year is None:
        return list(trend.names)
    months = get_month_names("abbreviated", locale=languages.language())
    periods = [Period.parse(name) for name in trend.names]
    return [months[period.number] if period.unit is PeriodUnit.MONTH else f"Q{period.number}" for period in periods]


def compared(trend: Trend, today: date) -> str:
    """The periods that are over against the same ones of the year before, in words; empty where there are none."""
    this, before = trend.sums_until(today)
    if not before:
        return ""
    return _(
        "In the periods that are over: %(this)s; in the same periods of the year before: %(before)s (%(growth)s).",
        this=languages.whole(this),
        before=languages.whole(before),
        growth=indicator_labels.percent((this - before) / before, signed=True),
    )


def described(rows: Sequence[ReportRow], filters: Filters) -> str:
    """The rows of the enrolment report in words: the sum and the largest row."""
    if not rows:
        return _nothing()
    total = sum((row.figures for row in rows), Figures())
    largest = max(rows, key=lambda row: row.figures.person_times)
    return ngettext(
        "%(total)s person-time, of which %(named)s named and %(counted)s by headcount. The largest: %(name)s with %(most)s.",
        "%(total)s person-times, of which %(named)s named and %(counted)s by headcount. The largest: %(name)s with %(most)s.",
        total.person_times,
        total=languages.whole(total.person_times),
        named=languages.whole(total.named),
        counted=languages.whole(total.counted),
        name=labels.row_name(largest, filters.grouping),
        most=languages.whole(largest.figures.person_times),
    )


def _nothing() -> str:
    return _("Nothing was counted in this period.")


def rates(pass_rates: Sequence[RowRate], no_show_rates: Sequence[RowRate], filters: Filters) -> Picture:
    """The pass rates and no-show rates of the rows, each on a scale of its own."""
    caption = _("Pass rate and no-show rate")
    named_rates = [(_("Pass rate"), pass_rates, Meaning.PASSING), (_("No-show"), no_show_rates, Meaning.NO_SHOW)]
    description = rates_described(filters, [(label, of_rows) for label, of_rows, _meaning in named_rates])
    unit = filters.grouping.period_unit
    over_time = unit is not None and len(pass_rates) > 1
    keys = [rate.row.key for rate in pass_rates]
    drawn_keys = without_gaps(keys, unit) if unit is not None else keys[:MAX_BARS]
    names = {rate.row.key: labels.row_name(rate.row, filters.grouping) for rate in pass_rates}

    def share_of(of_rows: Sequence[RowRate]) -> list[float | None]:
        shares = {rate.row.key: rate.share for rate in of_rows}
        return [shares.get(key) for key in drawn_keys]

    def draw(narrow: bool) -> bytes:
        return charts.rates(
            title=caption, description=description, names=[names.get(key, key) for key in drawn_keys],
            series=[Series(label, share_of(of_rows), meaning) for label, of_rows, meaning in named_rates],
            means=[_together(of_rows) for _label, of_rows, _meaning in named_rates], mean_label=_("Together"),
            over_time=over_time, narrow=narrow, nothing=_nothing(),
        )  # fmt: skip

    return Picture(caption, description, draw)


def completion(completions: Sequence[RowRate], filters: Filters) -> Picture:
    """The part of the targets that was reached, as bullet bars with the year before."""
    caption = _("Targets reached")
    year = filters.until.year
    rows = [
        Bullet(labels.row_name(rate.row, filters.grouping), rate.part, rate.whole, rate.before) for rate in completions
    ]

    description = rates_described(filters, [(_("Completion"), completions)])

    def draw(narrow: bool) -> bytes:
        return charts.bullet(
            title=caption, description=description, rows=rows[:MAX_BARS],
            labels=(_("Person-times %(year)s", year=year), _("Target = 100%"), _("The year before")),
            no_target=_("no target"), narrow=narrow, nothing=_("No target is set for this selection."),
        )  # fmt: skip

    return Picture(caption, description, draw)


def hours_by_month(months: Sequence[tuple[str, Hours]], total: str, series: Sequence[tuple[str, str]]) -> Picture:
    """The hours taught by month and role. total: them all in words. series: the label of each role and its field."""
    caption = _("Hours taught by month")
    hours_of = dict(months)
    keys = without_gaps(hours_of, PeriodUnit.MONTH)
    meanings = (Meaning.LEAD, Meaning.ASSISTANT, Meaning.EXAMINER)

    def draw(narrow: bool) -> bytes:
        return charts.stacked_bars(
            title=caption, description=total, names=keys, upright=True, narrow=narrow,
            series=[
                Series(label, [round(int(getattr(hours_of.get(key, Hours()), role)) / 60) for key in keys], meaning)
                for (label, role), meaning in zip(series, meanings, strict=True)
            ],
            nothing=_("Nobody taught in this period."),
        )  # fmt: skip

    return Picture(caption, total, draw)


def district_map(districts: Sequence[District], person_times: Mapping[int, int], people: Mapping[int, int]) -> Picture:
    """A tile map of the districts by person-times per 10,000 inhabitants. people: the registered ones of each district."""
    caption = _("Person-times per 10,000 inhabitants")
    tiles = []
    for district in districts:
        number, inhabitants = person_times.get(district.id, 0), people.get(district.id)
        value = per_inhabitants(number, inhabitants)
        text = "–" if value is None else f"{value:,.1f}" if value else "0"
        tiles.append(Tile(district.code, languages.named(district), value, text, languages.whole(number)))
    known = [tile for tile in tiles if tile.value is not None]
    description = ""
    if any(tile.value for tile in known):
        least, most = (choose(known, key=lambda tile: tile.value or 0.0) for choose in (min, max))
        description = _(
            "Person-times per 10,000 registered inhabitants: from %(least)s (%(least_name)s) to %(most)s (%(most_name)s).",
            least=least.text, least_name=least.name, most=most.text, most_name=most.name,
        )  # fmt: skip

    def draw(narrow: bool) -> bytes:
        return charts.tile_map(
            title=caption, description=description, tiles=tiles,
            legend=_("Large: person-times per 10,000 registered inhabitants. Small: person-times."),
            unknown=_("population unknown"), narrow=narrow, nothing=_nothing(),
        )  # fmt: skip

    return Picture(caption, description, draw)


def _together(of_rows: Sequence[RowRate]) -> float | None:
    whole = sum(rate.whole for rate in of_rows)
    return sum(rate.part for rate in of_rows) / whole if whole else None


def rates_described(filters: Filters, series: Sequence[tuple[str, Sequence[RowRate]]]) -> str:
    """Rates in words: the mean of each series, its smallest and its largest row.

    Empty where there is nothing to draw.
    """
    texts = []
    for label, of_rows in series:
        known = [rate for rate in of_rows if rate.share is not None]
        if not known:
            continue
        least, most = (choose(known, key=lambda rate: rate.share or 0.0) for choose in (min, max))
        texts.append(
            _(
                "%(label)s: %(mean)s together, from %(least)s (%(least_name)s) to %(most)s (%(most_name)s).",
                label=label,
                mean=indicator_labels.percent(_together(known)),
                least=indicator_labels.percent(least.share),
                least_name=labels.row_name(least.row, filters.grouping),
                most=indicator_labels.percent(most.share),
                most_name=labels.row_name(most.row, filters.grouping),
            )
        )
    return " ".join(texts)
