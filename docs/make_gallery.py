"""Make a gallery page from each packaged recipe: ``python docs/make_gallery.py`` before ``mkdocs build``."""

from pathlib import Path

from neuroloom.recipe import RECIPES, read_recipe, recipe_names

GALLERY = Path(__file__).parent / "gallery"


def main():
    """Write a page for each recipe, and their index."""
    GALLERY.mkdir(exist_ok=True)
    recipes = [read_recipe(name) for name in recipe_names()]
    for recipe in recipes:
        (GALLERY / f"{recipe.id}.md").write_text(page(recipe))
    rows = [f"| [{recipe.id}]({recipe.id}.md) | {recipe.title} | {', '.join(recipe.inputs)} |" for recipe in recipes]
    table = "\n".join(["| recipe | what | inputs |", "|---|---|---|", *rows])
    (GALLERY / "index.md").write_text(f"# Gallery\n\nOne page a recipe, made from the recipe itself.\n\n{table}\n")


def page(recipe):
    """Return a recipe's page, in Markdown."""
    reached = " to ".join(str(value) for value in recipe.expected["value"])
    beside = [one.label or one.name for one in recipe.baselines]
    if recipe.validation.confounds:
        beside.append(f"the confounds alone ({', '.join(recipe.validation.confounds)})")
    if recipe.target.column:
        beside.append("chance")
    variants = "".join(
        f"- `neuroloom run {recipe.id} --variant {name}`: {changed(change)}\n"
        for name, change in recipe.variants.items()
    )
    return f"""# {recipe.title}

{recipe.purpose}

| | |
|---|---|
| simulated cohort | `neuroloom run {recipe.id}` |
| your own files | `neuroloom run {recipe.id} --data DIR` |
| inputs | {", ".join(recipe.inputs)} |
| model | {recipe.model.label or recipe.model.name} |
| beside it, on the same folds | {"; ".join(beside)} |
| split | {recipe.validation.split}, unit of claim: {recipe.validation.unit} |
| what an honest run reaches | {recipe.expected["metric"]} {reached} ({recipe.expected["on"]}) |
| source | <{recipe.source}> |

{"Variants:" if variants else ""}

{variants}
## The recipe

```yaml
{(RECIPES / f"{recipe.id}.yaml").read_text().strip()}
```
"""


def changed(change):
    """Return what a variant changes, as short words."""
    if "model" in change:
        return f"model {change['model'].get('label') or change['model']['name']}"
    return "other " + ", ".join(change)


if __name__ == "__main__":
    main()
