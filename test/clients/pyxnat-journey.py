"""What pyxnat's users do, with pyxnat as it is published."""
import zipfile

import pyxnat

from journey import DICOM, PASSWORD, URL, USER, WORK, end, equal, file_count, fresh_project_id, patient_zip, patients, step, text_file

P = fresh_project_id()
P2 = fresh_project_id()
xnat = None


@step('signs in with one session and reads the version')
def _():
    global xnat
    xnat = pyxnat.Interface(server=URL, user=USER, password=PASSWORD)
    assert xnat.version()['version'].startswith('1.')
    assert 'JSESSIONID' in xnat._http.cookies


@step('is told that a password is wrong')
def _():
    try:
        pyxnat.Interface(server=URL, user=USER, password='wrong').select.project(P).create()
    except pyxnat.core.errors.DatabaseError as error:
        assert '401' in str(error), error
    else:
        raise AssertionError('a wrong password was taken')


@step('creates a project, which then exists')
def _():
    for project in (xnat.select.project(P), xnat.select.project(P2)):
        assert not project.exists()
        project.create()
        assert project.exists()


@step('reads and changes the settings of a project')
def _():
    project = xnat.select.project(P)
    equal(project.accessibility(), b'protected')
    project.set_accessibility('private')
    equal(project.accessibility(), b'private')
    project.set_prearchive_code('0')
    equal(project.prearchive_code(), 0)
    equal(project.quarantine_code(), 0)
    equal(project.current_arc(), b'arc001')
    project.attrs.set('description', 'a journey')
    equal(project.description(), 'a journey')


@step('creates subject, experiment, scan and assessor with their types')
def _():
    subject = xnat.select.project(P).subject('S1')
    subject.create()
    equal(subject.label(), 'S1')
    experiment = subject.experiment('E1')
    experiment.create(experiments='xnat:petSessionData')
    equal(experiment.datatype(), 'xnat:petSessionData')
    scan = experiment.scan('1')
    scan.create(scans='xnat:petScanData')
    equal(scan.datatype(), 'xnat:petScanData')
    assessor = experiment.assessor('A1')
    assessor.create(assessors='xnat:qcAssessmentData')
    equal(assessor.datatype(), 'xnat:qcAssessmentData')
    experiment.assessor('A2').create()
    equal(experiment.assessor('A2').datatype(), 'xnat:mrAssessorData')


@step('creates the missing parents of a scan on the way')
def _():
    scan = xnat.select(f'/projects/{P}/subjects/S2/experiments/E2/scans/7')
    scan.create(scans='xnat:mrScanData', experiments='xnat:mrSessionData')
    assert scan.exists()
    equal(xnat.select(f'/projects/{P}/subjects/S2/experiments/E2').datatype(), 'xnat:mrSessionData')


@step('creates an experiment from an XML document')
def _():
    document = text_file(
        'session.xml',
        '<xnat:MRSession xmlns:xnat="http://nrg.wustl.edu/xnat" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><xnat:date>2024-01-02</xnat:date>'
        '<xnat:scans><xnat:scan ID="3" type="T2" xsi:type="xnat:mrScanData"/></xnat:scans></xnat:MRSession>',
    )
    experiment = xnat.select.project(P).subject('S2').experiment('E3')
    experiment.create(xml=document)
    assert b'2024-01-02' in experiment.get()
    equal(experiment.scans().get(), ['3'])


@step('sets and reads attributes by shortcut and by path')
def _():
    subject = xnat.select.project(P).subject('S1')
    subject.attrs.set('age', '26')
    equal(subject.attrs.get('age'), '26')
    subject.attrs.mset({'xnat:subjectData/investigator/firstname': 'Ada', 'xnat:subjectData/investigator/lastname': 'L'})
    equal(
        subject.attrs.mget(['xnat:subjectData/investigator/firstname', 'xnat:subjectData/investigator/lastname']),
        ['Ada', 'L'],
    )


def paths_in(resource):
    return sorted(row['path'] for row in xnat._get_json(f'{resource._uri}/files'))


def labels(collection):
    return sorted(element.label() for element in collection)


scan_path = f'/projects/{P}/subjects/S1/experiments/E1/scans/1'


@step('puts a file, which then exists with its size, format and content')
def _():
    stored = xnat.select(scan_path).resource('NIFTI').file('hello.txt')
    assert not stored.exists()
    stored.put(text_file('hello.txt', 'hello\n'), format='TXT', content='GREETING', tags='polite')
    assert stored.exists()
    equal(stored.size(), '6')
    equal(stored.format(), 'TXT')
    equal(stored.content(), 'GREETING')
    equal(stored.labels(), 'polite')
    assert stored.last_modified()


@step('leaves a file alone unless told to overwrite it')
def _():
    stored = xnat.select(scan_path).resource('NIFTI').file('hello.txt')
    stored.put(text_file('other.txt', 'good-bye\n'))
    equal(open(stored.get(str(WORK / 'kept.txt'))).read(), 'hello\n')
    stored.put(text_file('other.txt', 'good-bye\n'), overwrite=True)
    equal(open(stored.get(str(WORK / 'replaced.txt'))).read(), 'good-bye\n')


@step('puts files into folders, and text without a file')
def _():
    resource = xnat.select(scan_path).resource('NIFTI')
    resource.file('below/there.txt').put(text_file('there.txt', 'there\n'))
    resource.file('text.txt').put('just text')
    equal(resource.file('below/there.txt').size(), '6')
    equal(open(resource.file('text.txt').get(str(WORK / 'text.txt'))).read(), 'just text')


@step('puts several files at once')
def _():
    subject = xnat.select.project(P).subject('S1')
    subject.resource('NOTES').put([text_file('a.txt', 'a'), text_file('b.txt', 'bb')])
    equal(paths_in(subject.resource('NOTES')), ['a.txt', 'b.txt'])


@step('puts a zip, unpacked or as it is')
def _():
    packed = WORK / 'folder.zip'
    with zipfile.ZipFile(packed, 'w') as archive:
        archive.writestr('folder/one.txt', 'one')
        archive.writestr('folder/below/two.txt', 'two')
    experiment = xnat.select.project(P).subject('S1').experiment('E1')
    experiment.resource('UNPACKED').put_zip(str(packed), extract=True)
    equal(paths_in(experiment.resource('UNPACKED')), ['folder/below/two.txt', 'folder/one.txt'])
    experiment.resource('PACKED').put_zip(str(packed), extract=False)
    equal(paths_in(experiment.resource('PACKED')), ['folder.zip'])


@step('puts a folder')
def _():
    text_file('tree/one.txt', 'one')
    text_file('tree/below/two.txt', 'two')
    resource = xnat.select.project(P).resource('TREE')
    resource.put_dir(str(WORK / 'tree'))
    equal([path.split('tree/')[-1] for path in paths_in(resource)], ['below/two.txt', 'one.txt'])


@step('gets a resource, unpacked or as a zip')
def _():
    resource = xnat.select.project(P).subject('S1').experiment('E1').resource('UNPACKED')
    target = WORK / 'got'
    target.mkdir()
    resource.get(str(target), extract=True)
    equal((target / 'UNPACKED/folder/below/two.txt').read_text(), 'two')
    resource.get(str(target), extract=False)
    assert zipfile.is_zipfile(target / 'UNPACKED.zip')


@step('downloads all scans of an experiment')
def _():
    target = WORK / 'scans'
    target.mkdir()
    xnat.select.project(P).subject('S1').experiment('E1').scans().download(str(target), type='ALL', extract=True)
    names = {path.name for path in target.rglob('*') if path.is_file()}
    assert {'hello.txt', 'there.txt', 'text.txt'} <= names, names


@step('lists every level by ID and by label')
def _():
    project = xnat.select.project(P)
    assert P in xnat.select.projects().get()
    equal(labels(project.subjects()), ['S1', 'S2'])
    equal(labels(project.experiments()), ['E1', 'E2', 'E3'])
    equal(sorted(xnat.select(f'/projects/{P}/subjects/*/experiments/*/scans').get()), ['1', '3', '7'])
    experiment = project.subject('S1').experiment('E1')
    equal(labels(experiment.resources()), ['PACKED', 'UNPACKED'])
    equal(len(xnat.select(f'{scan_path}/resources/*/files').get()), 3)


@step('lists experiments and scans as tables')
def _():
    columns = ['label', 'subject_label', 'xsiType']
    rows = xnat.array.experiments(project_id=P, columns=columns).data
    equal({row['label']: row['xsiType'] for row in rows}['E1'], 'xnat:petSessionData')
    scans = xnat.array.scans(project_id=P, experiment_type='xnat:petSessionData', scan_type='xnat:petScanData').data
    equal([scan['xnat:petscandata/id'] for scan in scans], ['1'])


@step('inspects data types and their fields')
def _():
    assert 'xnat:subjectData' in xnat.inspect.datatypes()
    assert 'xnat:subjectData/DOB' in xnat.inspect.datatypes('xnat:subjectData', '*')


@step('lists the attributes the schema knows')
def _():
    xnat.manage.schemas.add('xapi/schemas/xnat')
    attributes = xnat.select.project(P).attrs()
    assert 'xnat:projectData/description' in attributes, attributes
    assert 'xnat:projectData/aliases/alias' in attributes, attributes


@step('shares a subject and takes it back')
def _():
    subject = xnat.select.project(P).subject('S1')
    shared = xnat.select.project(P2).subject('S1')
    subject.share(P2)
    assert shared.exists()
    equal(subject.shares().get(), [P, P2])
    subject.unshare(P2)
    assert not shared.exists()


@step('reads the users of the site')
def _():
    assert USER in xnat.manage.users()
    assert '@' in xnat.manage.users.email(USER)
    assert xnat.manage.users.firstname(USER) and xnat.manage.users.lastname(USER) and xnat.manage.users.id(USER)


@step('adds users to a project, moves and removes them')
def _():
    project = xnat.select.project(P2)
    equal(project.user_role(USER), 'owner')
    equal(project.owners(), [USER])
    project.add_user('journeyman', 'member')
    equal(project.members(), ['journeyman'])
    project.add_user('journeyman', 'collaborator')
    equal((project.members(), project.collaborators()), ([], ['journeyman']))
    project.remove_user('journeyman')
    equal(project.users(), [USER])


@step('deletes a file, a resource, a scan, a subject')
def _():
    resource = xnat.select(scan_path).resource('NIFTI')
    resource.file('text.txt').delete()
    assert not resource.file('text.txt').exists()
    resource.delete()
    assert not xnat.select(scan_path).resource('NIFTI').exists()
    xnat.select(scan_path).delete()
    assert not xnat.select(scan_path).exists()
    subject = xnat.select.project(P).subject('S2')
    subject.delete()
    assert not subject.exists()


patient = patients()[0]
triple = None


@step('sends DICOM to the prearchive, and finds it there')
def _():
    global triple
    query = {'import-handler': 'DICOM-zip', 'dest': '/prearchive', 'project': P, 'subject': 'S3', 'session': 'E4'}
    with open(patient_zip(patient), 'rb') as body:
        answer = xnat.post('/data/services/import', params=query, data=body, headers={'Content-Type': 'application/zip'})
    equal(answer.status_code, 200)
    uri = answer.text.strip()
    assert uri.startswith(f'/data/prearchive/projects/{P}/'), uri
    triple = uri.split('/')[-3:]
    # The session's document is written by a build.
    xnat.manage.prearchive.reset(triple)
    assert triple in [list(row) for row in xnat.manage.prearchive.get()], xnat.manage.prearchive.get()
    equal(xnat.manage.prearchive.status(triple), 'READY')
    equal(f'/data{xnat.manage.prearchive.get_uri(triple)}', uri)


@step('looks into a session of the prearchive')
def _():
    scans = xnat.manage.prearchive.get_scans(triple)
    scans = [scans] if isinstance(scans, str) else scans
    count = 0
    for scan in scans:
        equal(xnat.manage.prearchive.get_resources(triple, scan), 'DICOM')
        files = xnat.manage.prearchive.get_files(triple, scan, 'DICOM')
        count += 1 if isinstance(files, str) else len(files)
    equal(count, file_count(patient))


@step('deletes a session of the prearchive')
def _():
    xnat.manage.prearchive.delete('/data/prearchive/projects/' + '/'.join(triple))
    assert triple not in [list(row) for row in xnat.manage.prearchive.get()]


@step('deletes its projects')
def _():
    for project in (xnat.select.project(P), xnat.select.project(P2)):
        project.delete()
        assert not project.exists()


@step('signs out')
def _():
    xnat.disconnect()


end()
