"""What grading takes from nbformat and nbval."""

from ...data.optional import quickly

with quickly():
    import nbformat
    from nbval.kernel import RunningKernel
    from nbval.plugin import IPyNbCell, IPyNbFile

__all__ = ["IPyNbCell", "IPyNbFile", "RunningKernel", "nbformat"]
