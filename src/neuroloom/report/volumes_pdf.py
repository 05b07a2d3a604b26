"""The printed form of a scan's page: two pages of paper, without any network."""

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats.atomic import atomic_write
from neuroloom.report.page import rendered
from neuroloom.report.svg import for_paper

SIZES = (8.6, 7.8, 7.0, 6.2)  # points; the largest that fits is taken
MOST_PAGES = 2


def check_can_print():
    """Raise where what prints is not installed."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:  # OSError: its system libraries (pango) are not there
        raise NeuroloomError(f"A PDF needs: pip install 'neuroloom[pdf]' ({error}).") from None


def write_pdf(path, content):
    """Write the page as a PDF of two pages at most, in the largest letters that fit.

    Parameters
    ----------
    path : Path
    content : dict
        What the template shows, see `page_content`.
    """
    for size in SIZES:
        document = laid_out(content, size)
        if len(document.pages) <= MOST_PAGES:
            atomic_write(path, document.write_pdf(pdf_identifier=b"neuroloom"))
            return
    raise FileProblem(
        path,
        f"the page does not fit {MOST_PAGES} pages of paper ({len(document.pages)}).",
        "Read or print the HTML page.",
    )


def laid_out(content, size):
    """Return weasyprint's document with letters of ``size`` points."""
    check_can_print()
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    styles = ["style.css", "volumes.css", "volumes_print.css"]
    page = for_paper(rendered("volumes_page.html", styles, printed=True, size=size, **content))
    return HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=["data"])).render()
