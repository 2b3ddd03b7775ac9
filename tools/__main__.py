"""`python -m tools`: write the files that are made from the table of settings. `make generate` calls it."""

from tools.generated import ROOT, generated

if __name__ == "__main__":
    for path, text in generated().items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"written: {path.relative_to(ROOT)}")  # noqa: T201 - a program for a terminal
