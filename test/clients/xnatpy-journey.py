"""What xnatpy's users do, with xnatpy as it is published."""
import io
import re
import sys
import zipfile

try:
    import progressbar
except ImportError:
    # Debian's name for the same package.
    import progressbar2 as progressbar

    sys.modules['progressbar'] = progressbar

import xnat

from journey import DICOM, PASSWORD, URL, USER, WORK, end, equal, file_count, fresh_project_id, patient_zip, patients, step, text_file

P = fresh_project_id()
P2 = fresh_project_id()
connection = None


def experiment():
    return connection.projects[P].subjects['S1'].experiments['E1']


def resource(label):
    """The resource of that label on the experiment, made when it is missing."""
    present = experiment().resources
    if label in present.key_map:
        return present[label]
    connection.classes.ResourceCatalog(parent=experiment(), label=label)
    return experiment().resources[label]


def paths_in(files):
    files.clearcache()
    return sorted(file.path for file in files.values())


@step('connects and builds its classes from the schemas')
def _():
    global connection
    connection = xnat.connect(URL, user=USER, password=PASSWORD)
    equal(connection.logged_in_user, USER)
    assert connection.xnat_version.startswith('1.')
    assert issubclass(connection.classes.MrSessionData, connection.classes.ImageSessionData)
    expires = connection.session_expiration_time
    assert expires is not None and expires[1] > 60, expires


@step('is told that a password is wrong')
def _():
    try:
        xnat.connect(URL, user=USER, password='wrong', no_parse_model=True)
    except xnat.exceptions.XNATLoginFailedError:
        return
    raise AssertionError('a wrong password was taken')


@step('connects without a model, and with a session that exists')
def _():
    with xnat.connect(URL, user=USER, password=PASSWORD, no_parse_model=True) as first:
        second = xnat.connect(URL, jsession=first.jsession, no_parse_model=True)
        equal(second.logged_in_user, USER)
        equal(second.get('/data/auth').status_code, 200)
        second.interface.close()


@step('creates a project, a subject, an experiment and a scan')
def _():
    classes = connection.classes
    for project_id in (P, P2):
        project = classes.ProjectData(parent=connection, id_=project_id, name=f'{project_id} name')
        equal(project.name, f'{project_id} name')
    subject = classes.SubjectData(parent=connection.projects[P], label='S1')
    equal(subject.label, 'S1')
    session = classes.MrSessionData(parent=subject, label='E1')
    equal((session.label, type(session).__name__), ('E1', 'MrSessionData'))
    scan = classes.MrScanData(parent=session, type='T1')
    equal((scan.id, type(scan).__name__), ('T1', 'MrScanData'))


@step('refuses to create an experiment twice')
def _():
    connection.clearcache()
    try:
        connection.classes.MrSessionData(parent=connection.projects[P].subjects['S1'], label='E1')
    except xnat.exceptions.XNATObjectAlreadyExistsError:
        return
    raise AssertionError('the experiment was made again')


@step('lists every level by ID and by label')
def _():
    equal(connection.projects[P].id, P)
    equal(connection.projects[f'{P} name'].id, P)
    subjects = connection.projects[P].subjects
    equal(subjects['S1'].id, subjects[subjects['S1'].id].id)
    assert re.fullmatch(r'\w+_S\d{5,}', subjects['S1'].id), subjects['S1'].id
    equal([item.label for item in connection.projects[P].experiments.values()], ['E1'])
    equal([item.type for item in experiment().scans.values()], ['T1'])
    assert experiment().id in connection.experiments
    assert subjects['S1'].id in connection.subjects


@step('filters and tabulates lists')
def _():
    equal(len(connection.projects[P].subjects.filter(label='S*')), 1)
    equal(len(connection.projects[P].subjects.filter(label='X*')), 0)
    equal([row.label for row in connection.projects[P].experiments.tabulate(columns=('ID', 'label'))], ['E1'])
    equal(list(connection.projects[P].experiments.tabulate_pandas()['label']), ['E1'])


@step('sets and reads fields')
def _():
    subject = connection.projects[P].subjects['S1']
    subject.group = 'control'
    # By path: classes for what is nested name their field UNKNOWN when they write it.
    subject.mset({'demographics[@xsi:type=xnat:demographicData]/gender': 'female', 'investigator/lastname': 'Lovelace'})
    subject.clearcache()
    equal(subject.group, 'control')
    nested = {child['field']: child['items'][0]['data_fields'] for child in subject.fulldata['children']}
    equal((nested['demographics'], nested['investigator']), ({'gender': 'female'}, {'lastname': 'Lovelace'}))
    session = experiment()
    session.note = 'as told'
    session.mset(date='2024-01-31', scanner='a scanner')
    session.clearcache()
    equal((session.note, str(session.date)), ('as told', '2024-01-31'))
    scan = session.scans['T1']
    scan.quality = 'usable'
    scan.clearcache()
    equal(scan.quality, 'usable')


@step('renames a subject and an experiment')
def _():
    subject = connection.classes.SubjectData(parent=connection.projects[P], label='S2')
    subject.label = 'S2 renamed'.replace(' ', '_')
    session = connection.classes.CtSessionData(parent=subject, label='E2')
    session.label = 'E2_renamed'
    connection.clearcache()
    equal(sorted(item.label for item in connection.projects[P].subjects.values()), ['S1', 'S2_renamed'])
    equal(sorted(item.label for item in connection.projects[P].experiments.values()), ['E1', 'E2_renamed'])


@step('uploads a file, text, bytes and a stream')
def _():
    target = resource('FILES')
    target.upload(text_file('one.txt', 'one'), 'one.txt', file_format='TXT', file_content='WORDS', file_tags='few')
    target.upload_data('two', 'below/two.txt')
    target.upload_data(b'three', 'three.bin')
    target.upload_data(io.BytesIO(b'four'), 'four.bin')
    equal(paths_in(target.files), ['below/two.txt', 'four.bin', 'one.txt', 'three.bin'])
    one = target.files['one.txt']
    equal((one.file_format, one.file_content, one.file_tags, one.file_size), ('TXT', 'WORDS', 'few', '3'))
    equal(one.size, '3')
    target.clearcache()
    equal((target.file_count, target.file_size), (4, 15))


@step('keeps a file unless told to overwrite it')
def _():
    target = resource('FILES')
    target.upload_data('changed', 'one.txt')
    equal(target.files['one.txt'].open().read(), b'one')
    target.upload_data('changed', 'one.txt', overwrite=True)
    equal(target.files['one.txt'].open().read(), b'changed')


@step('uploads a folder by per_file')
def _():
    # Without a folder in it: xnatpy takes that for a file and stumbles.
    text_file('per_file/one.txt', 'one')
    text_file('per_file/two.txt', 'two')
    target = resource('PER_FILE')
    target.upload_dir(WORK / 'per_file', method='per_file')
    equal(paths_in(target.files), ['one.txt', 'two.txt'])


for method in ('tar_memory', 'tgz_memory', 'tar_file', 'tgz_file'):

    @step(f'uploads a folder by {method}')
    def _():
        text_file(f'{method}/one.txt', 'one')
        text_file(f'{method}/below/two.txt', 'two')
        target = resource(method.upper())
        target.upload_dir(WORK / method, method=method)
        equal(paths_in(target.files), ['below/two.txt', 'one.txt'])
        equal(target.files['below/two.txt'].open().read(), b'two')


@step('creates a resource with the files of a folder')
def _():
    made = connection.projects[P].create_resource('NOTES', data_dir=WORK / 'tgz_file')
    equal(paths_in(made.files), ['below/two.txt', 'one.txt'])
    equal([item.label for item in connection.projects[P].resources.values()], ['NOTES'])


@step('uploads to a scan and to a subject')
def _():
    scan = experiment().scans['T1']
    scan.create_resource('NIFTI').upload_data('volume', 'volume.nii')
    equal(paths_in(scan.resources['NIFTI'].files), ['volume.nii'])
    connection.projects[P].subjects['S1'].create_resource('FORMS').upload_data('form', 'form.txt')
    equal(paths_in(connection.projects[P].subjects['S1'].files), ['form.txt'])


@step('downloads a file, a resource as a zip and as a folder')
def _():
    target = resource('TGZ_FILE')
    target.files['one.txt'].download(str(WORK / 'downloaded.txt'), verbose=False)
    equal((WORK / 'downloaded.txt').read_text(), 'one')
    target.download(str(WORK / 'resource.zip'), verbose=False)
    names = zipfile.ZipFile(WORK / 'resource.zip').namelist()
    equal(sorted(names), ['E1/resources/TGZ_FILE/files/below/two.txt', 'E1/resources/TGZ_FILE/files/one.txt'])
    target.download_dir(str(WORK / 'resource'), verbose=False)
    equal((WORK / 'resource/E1/resources/TGZ_FILE/files/below/two.txt').read_text(), 'two')


@step('downloads a scan, an experiment, a subject and a project as folders')
def _():
    volume = 'E1/scans/T1-T1/resources/NIFTI/files/volume.nii'
    experiment().scans['T1'].download_dir(str(WORK / 'scan'), verbose=False)
    equal((WORK / 'scan' / volume).read_text(), 'volume')
    experiment().download_dir(str(WORK / 'experiment'), verbose=False)
    equal((WORK / 'experiment' / volume).read_text(), 'volume')
    (WORK / 'subject').mkdir()
    connection.projects[P].subjects['S1'].download_dir(str(WORK / 'subject'), verbose=False)
    equal((WORK / 'subject/S1' / volume).read_text(), 'volume')
    (WORK / 'project').mkdir()
    connection.projects[P].download_dir(str(WORK / 'project'), verbose=False)
    equal((WORK / f'project/{P} name/S1' / volume).read_text(), 'volume')


@step('shows how far a download is')
def _():
    seen = []
    with open(WORK / 'stream.zip', 'wb') as stream:
        connection.download_stream(
            experiment().scans['T1'].uri + '/files', stream, format='zip', update_func=lambda *state: seen.append(state)
        )
    equal((seen[0][0], seen[-1][2]), (0, True))
    equal(seen[-1][0], (WORK / 'stream.zip').stat().st_size)


@step('creates an assessor with files')
def _():
    assessor = experiment().create_assessor('A1', type_='xnat:qcAssessmentData')
    equal(type(assessor).__name__, 'QcAssessmentData')
    assessor.create_resource('REPORT').upload_data('fine', 'report.txt')
    equal(paths_in(assessor.files), ['report.txt'])
    equal([item.label for item in experiment().assessors.values()], ['A1'])


@step('shares a subject and an experiment')
def _():
    connection.projects[P].subjects['S1'].share(P2, label='S1_there')
    experiment().share(P2, label='E1_there')
    connection.clearcache()
    shared = connection.projects[P2]
    equal([item.label for item in shared.subjects.values()], ['S1_there'])
    equal([item.label for item in shared.experiments.values()], ['E1_there'])


@step('refreshes a catalog')
def _():
    resource('FILES').refresh_catalog()
    connection.services.refresh_catalog(resource('FILES'), checksum=True, populate_stats=True)


@step('inspects data types and their fields')
def _():
    assert 'xnat:mrSessionData' in connection.inspect.datatypes('xnat:*')
    assert 'xnat:subjectData/DOB' in connection.inspect.datafields('xnat:subjectData')


@step('deletes a file, a resource, a scan and an experiment')
def _():
    target = resource('FILES')
    target.files['four.bin'].delete()
    equal(paths_in(target.files), ['below/two.txt', 'one.txt', 'three.bin'])
    target.delete()
    connection.clearcache()
    assert 'FILES' not in experiment().resources.key_map
    experiment().scans['T1'].delete()
    connection.clearcache()
    equal(len(experiment().scans), 0)
    connection.projects[P].experiments['E2_renamed'].delete()
    connection.clearcache()
    equal([item.label for item in connection.projects[P].experiments.values()], ['E1'])


@step('lists the users of the site and of a project')
def _():
    equal(connection.users[USER].login, USER)
    assert '@' in connection.users[USER].email
    equal(connection.projects[P].users[USER].access_level, 'Owners')


@step('signs in with a token it was given')
def _():
    token = connection.services.issue_token()
    with xnat.connect(URL, user=token.alias, password=token.secret, no_parse_model=True) as by_token:
        equal(by_token.logged_in_user, USER)


first, second, third = patients()


@step('imports a zip into the archive')
def _():
    imported = connection.services.import_(
        patient_zip(first), project=P, subject='S3', experiment='E3', destination='/archive', import_handler='DICOM-zip'
    )
    equal(imported.label, 'E3')
    equal(imported.subject.label, 'S3')
    files = [file for scan in imported.scans.values() for file in scan.resources['DICOM'].files.values()]
    equal(len(files), file_count(first))


@step('reads DICOM of a scan, by file and by dump')
def _():
    connection.clearcache()
    scan = connection.projects[P].experiments['E3'].scans[0]
    equal(scan.read_dicom().Modality, connection.projects[P].experiments['E3'].modality)
    dump = scan.dicom_dump(fields=['PatientID', '0020000D'])
    equal(sorted({row['tag1'] for row in dump}), ['(0010,0020)', '(0020,000D)'])


@step('imports a folder into the prearchive, and finds it there')
def _():
    session = connection.services.import_dir(
        str(DICOM / second), project=P, subject='S4', experiment='E4', destination='/prearchive', import_handler='DICOM-zip'
    )
    session.rebuild()
    equal([item.status for item in connection.prearchive.find(project=P, session='E4')], ['READY'])
    equal((session.label, session.subject, session.project), ('E4', 'S4', P))
    equal([item.id for item in connection.prearchive.sessions(project=P)], [session.id])
    equal(sum(len(scan.files) for scan in session.scans), file_count(second))


@step('reads and downloads what is in the prearchive')
def _():
    [session] = connection.prearchive.find(project=P, session='E4')
    equal(session.scans[0].read_dicom().PatientID, second)
    session.download(str(WORK / 'prearchive.zip'))
    names = [name for name in zipfile.ZipFile(WORK / 'prearchive.zip').namelist() if name.endswith('.dcm')]
    equal(len(names), file_count(second))


@step('archives a session of the prearchive')
def _():
    [session] = connection.prearchive.find(project=P, session='E4')
    archived = session.archive(subject='S4', experiment='E4_archived')
    equal(archived.label, 'E4_archived')
    equal(connection.prearchive.sessions(project=P), [])
    connection.clearcache()
    assert 'E4_archived' in connection.projects[P].experiments.key_map


@step('moves a session of the prearchive to another project, and deletes it')
def _():
    session = connection.services.import_(
        patient_zip(third), project=P, subject='S5', experiment='E5', destination='/prearchive', import_handler='DICOM-zip'
    )
    session.rebuild()
    session.move(P2)
    equal(connection.prearchive.sessions(project=P), [])
    [moved] = connection.prearchive.sessions(project=P2)
    moved.delete()
    equal(connection.prearchive.sessions(project=P2), [])


@step('deletes its projects')
def _():
    connection.clearcache()
    for project_id in (P2, P):
        connection.projects[project_id].delete()
    connection.clearcache()
    assert P not in connection.projects and P2 not in connection.projects


@step('disconnects, and its session is gone')
def _():
    left = connection.jsession
    connection.disconnect()
    try:
        xnat.connect(URL, jsession=left, no_parse_model=True)
    except xnat.exceptions.XNATLoginFailedError:
        return
    raise AssertionError('the session lived on')


end()
