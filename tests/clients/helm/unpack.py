"""unpack.py FOLDER: takes the helm out of each installed layer package, as FOLDER/helm-<version of its package>."""
import os
import pathlib
import sys
import zipfile

here = pathlib.Path(sys.argv[1])
for layer in here.glob("node_modules/@aws-cdk/*/lib/layer.zip"):
    target = here / f"helm-{layer.parts[-3].rsplit('-', 1)[-1]}"
    with zipfile.ZipFile(layer) as archive:
        target.write_bytes(archive.read("helm/helm"))
    os.chmod(target, 0o755)
