"""`python -m igteach`: the commands behind make."""

from igteach.course.commands import main

if __name__ == "__main__":
    raise SystemExit(main())
