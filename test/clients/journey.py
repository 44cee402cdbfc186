"""Runs a client's journey step by step: one line per step, `ok <step>` or `FAIL <step>: why`."""
import os
import pathlib
import sys
import uuid
import zipfile

URL = os.environ['XNAT_URL']
USER = os.environ['XNAT_USER']
PASSWORD = os.environ['XNAT_PASSWORD']
# A folder of one's own, removed by whoever started the journey.
WORK = pathlib.Path(os.environ['JOURNEY_DIR'])
# DICOM files, a folder per patient.
DICOM = pathlib.Path(os.environ['DICOM_DIR'])

_ok = 0
_failed = 0


def step(claim):
    """Decorates a step, which runs at once. A step that raises has failed; the journey goes on."""

    def run(function):
        global _ok, _failed
        try:
            function()
        except Exception as error:
            _failed += 1
            print(f'FAIL {claim}: {type(error).__name__}: {" ".join(str(error).split())[:600]}', flush=True)
        else:
            _ok += 1
            print(f'ok {claim}', flush=True)

    return run


def end():
    print(f'{_failed} steps failed' if _failed else f'{_ok} steps ok')
    sys.exit(1 if _failed else 0)


def equal(found, expected):
    if found != expected:
        raise AssertionError(f'{found!r} is not {expected!r}')


def fresh_project_id():
    return 'J' + uuid.uuid4().hex[:10]


def text_file(name, text):
    path = WORK / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def patient_zip(patient):
    """The DICOM files of one patient as a zip, made once."""
    target = WORK / f'{patient}.zip'
    if not target.exists():
        with zipfile.ZipFile(target, 'w') as archive:
            for path in sorted((DICOM / patient).rglob('*.dcm')):
                archive.write(path, path.relative_to(DICOM))
    return str(target)


def file_count(patient):
    return len(list((DICOM / patient).rglob('*.dcm')))


def patients():
    return sorted(path.name for path in DICOM.iterdir())
