"""The compiled contracts of this release, written by `moonlake contracts build`."""
