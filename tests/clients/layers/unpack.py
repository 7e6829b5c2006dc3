"""unpack.py FOLDER: takes the programs out of each installed layer package, as FOLDER/<program>-<version of its package>."""
import os
import pathlib
import sys
import zipfile

here = pathlib.Path(sys.argv[1])
for layer in here.glob("node_modules/@aws-cdk/*/lib/layer.zip"):
    version = layer.parts[-3].rsplit("-", 1)[-1]
    with zipfile.ZipFile(layer) as archive:
        for program in ("helm", "kubectl"):
            target = here / f"{program}-{version}"
            target.write_bytes(archive.read(f"{program}/{program}"))
            os.chmod(target, 0o755)
