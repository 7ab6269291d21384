"""Pages from templates, in one style."""

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, Template

__all__ = ["page_template"]


def page_template(package: str, name: str) -> Template:
    """Load the template of a page; it may include ``autolabel.report/page.css``.

    Args:
        package: Where it is.
        name: Its file there.
    """
    environment = Environment(
        loader=PrefixLoader({each: PackageLoader(each, ".") for each in (package, "autolabel.report")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{package}/{name}")
