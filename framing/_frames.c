/* Frames behind a plain header: the compiled twin of the loops in `formats/scans/loops.py`, which are its specification. A
 * property test holds both equal.
 *
 * Bytes come from strangers. Three rules keep every access inside its buffer:
 *
 *   1. A place is a Py_ssize_t between 0 and the buffer's size; a number from the wire is unsigned until it was compared
 *      with what is left, and only then added to a place.
 *   2. What is left is asked as `end - place >= size`, never as `place + size <= end`, so that nothing can wrap.
 *   3. Whatever is odd is left to Python: a loop stops before it, and never raises because of bytes.
 *
 * Limited API of Python 3.11: one build serves all later versions.
 */

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    PyObject *data, *offset; /* names of a Frame's slots */
} State;

static uint64_t
read_uint(const unsigned char *at, int size, int is_big)
{
    uint64_t value = 0;
    for (int index = 0; index < size; index++) {
        value = value << 8 | at[is_big ? index : size - 1 - index];
    }
    return value;
}

typedef struct {
    int offset, size, count;                        /* offset in the header, bytes of each value, how many values */
    unsigned char *values;
} Constant;

typedef struct {
    PyObject_HEAD
    int offset, size, is_big, constant_count;
    Py_ssize_t header_size;
    int64_t base, least, most;
    Constant *constants;
} Header;

static const int MOST_CONSTANTS = 64;
static const Py_ssize_t LARGEST_HEADER = 1 << 20;

/* What a frame's header tells: its size, -1 if the bytes end inside the header, -2 if it is odd in any way. */
static int64_t
told_size(const Header *self, const unsigned char *at, Py_ssize_t left)
{
    if (left < self->header_size) {
        return -1;
    }
    for (int index = 0; index < self->constant_count; index++) {
        const Constant *constant = &self->constants[index];
        int number = 0;
        while (number < constant->count
               && memcmp(at + constant->offset, constant->values + number * constant->size, (size_t)constant->size)) {
            number++;
        }
        if (number == constant->count) {
            return -2;
        }
    }
    uint64_t value = read_uint(at + self->offset, self->size, self->is_big);
    /* `most - base` and `least - base` are within 2**62: see Header_new. */
    if (self->most < self->base || value > (uint64_t)(self->most - self->base)
        || (int64_t)value < self->least - self->base) {
        return -2;
    }
    return (int64_t)value + self->base;
}

static int
check_span(PyObject *buffer, Py_ssize_t start, Py_ssize_t end)
{
    if (!PyBytes_Check(buffer)) {
        PyErr_SetString(PyExc_TypeError, "a scan reads bytes");
        return -1;
    }
    if (start < 0 || start > end || end > PyBytes_Size(buffer)) {
        PyErr_SetString(PyExc_ValueError, "start and end are not places in the buffer");
        return -1;
    }
    return 0;
}

static PyObject *
Header_scan(Header *self, PyObject *args)
{
    PyObject *buffer, *out;
    Py_ssize_t start, end, limit;
    if (!PyArg_ParseTuple(args, "OnnnO", &buffer, &start, &end, &limit, &out) || check_span(buffer, start, end)) {
        return NULL;
    }
    const unsigned char *bytes = (const unsigned char *)PyBytes_AsString(buffer);
    for (; limit > 0; limit--) {
        int64_t total = told_size(self, bytes + start, end - start);
        if (total < self->header_size || total > end - start) {
            break;
        }
        PyObject *payload = PyBytes_FromStringAndSize(
            (const char *)bytes + start + self->header_size, (Py_ssize_t)total - self->header_size);
        if (payload == NULL || PyList_Append(out, payload)) {
            Py_XDECREF(payload);
            return NULL;
        }
        Py_DECREF(payload);
        start += (Py_ssize_t)total;
    }
    return PyLong_FromSsize_t(start);
}

/* Frames are made as `frame_class()` makes them, which has no __init__, and their two slots are set. These hold bytes
 * and an integer, so that no frame is ever part of a cycle: the garbage collector need not walk over millions of them,
 * as it does not over such tuples.
 */
static PyObject *
Header_scan_frames(Header *self, PyObject *args)
{
    PyObject *buffer, *out, *made;
    Py_ssize_t start, end, limit;
    long long base;
    if (!PyArg_ParseTuple(args, "OnnnOLO", &buffer, &start, &end, &limit, &out, &base, &made)
        || check_span(buffer, start, end)) {
        return NULL;
    }
    State *state = PyType_GetModuleState(Py_TYPE((PyObject *)self));
    if (state == NULL || !PyType_Check(made)) {
        PyErr_SetString(PyExc_TypeError, "frame_class is a class");
        return NULL;
    }
    if (base < 0 || base > INT64_MAX - end) {
        PyErr_SetString(PyExc_OverflowError, "the stream is too long for an offset");
        return NULL;
    }
    int is_tracked = (PyType_GetFlags((PyTypeObject *)made) & Py_TPFLAGS_HAVE_GC) != 0;
    const unsigned char *bytes = (const unsigned char *)PyBytes_AsString(buffer);
    for (; limit > 0; limit--) {
        int64_t total = told_size(self, bytes + start, end - start);
        if (total < self->header_size || total > end - start) {
            break;
        }
        PyObject *frame = PyType_GenericAlloc((PyTypeObject *)made, 0);
        if (frame != NULL && is_tracked) {
            PyObject_GC_UnTrack(frame);
        }
        PyObject *data = PyBytes_FromStringAndSize((const char *)bytes + start, (Py_ssize_t)total);
        PyObject *offset = PyLong_FromLongLong(base + start);
        int failed = frame == NULL || data == NULL || offset == NULL || PyObject_SetAttr(frame, state->data, data)
                     || PyObject_SetAttr(frame, state->offset, offset) || PyList_Append(out, frame);
        Py_XDECREF(frame);
        Py_XDECREF(data);
        Py_XDECREF(offset);
        if (failed) {
            return NULL;
        }
        start += (Py_ssize_t)total;
    }
    return PyLong_FromSsize_t(start);
}

static int
fill_constant(Constant *constant, PyObject *pair, Py_ssize_t header_size)
{
    PyObject *values;
    if (!PyTuple_Check(pair)) {
        PyErr_SetString(PyExc_TypeError, "a constant is an offset and its values");
        return -1;
    }
    if (!PyArg_ParseTuple(pair, "iO!", &constant->offset, &PyTuple_Type, &values)) {
        return -1;
    }
    Py_ssize_t count = PyTuple_Size(values);
    PyObject *first = count > 0 ? PyTuple_GetItem(values, 0) : NULL;
    Py_ssize_t size = first && PyBytes_Check(first) ? PyBytes_Size(first) : 0;
    if (size < 1 || size > header_size || count > 1 << 16 || constant->offset < 0
        || constant->offset > header_size - size) {
        PyErr_SetString(PyExc_ValueError, "a constant does not lie in the header");
        return -1;
    }
    constant->size = (int)size;
    constant->values = PyMem_Malloc((size_t)(count * size));
    if (constant->values == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; constant->count < count; constant->count++) {
        PyObject *value = PyTuple_GetItem(values, constant->count);
        if (!PyBytes_Check(value) || PyBytes_Size(value) != size) {
            PyErr_SetString(PyExc_ValueError, "the values of a constant have one size");
            return -1;
        }
        memcpy(constant->values + constant->count * size, PyBytes_AsString(value), (size_t)size);
    }
    return 0;
}

static PyObject *
Header_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(names))
{
    int offset, size, is_big;
    Py_ssize_t header_size;
    long long base, least, most;
    PyObject *constants;
    if (!PyArg_ParseTuple(
            args, "iipnLLLO!", &offset, &size, &is_big, &header_size, &base, &least, &most, &PyTuple_Type, &constants)) {
        return NULL;
    }
    const long long far = 1LL << 61;
    Py_ssize_t count = PyTuple_Size(constants);
    if (size < 1 || size > 8 || offset < 0 || header_size > LARGEST_HEADER || offset > header_size - size
        || base < -far || base > far || least < 0 || least > far || most < 0 || most > far || count > MOST_CONSTANTS) {
        PyErr_SetString(PyExc_ValueError, "no header that can be scanned");
        return NULL;
    }
    Header *self = (Header *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->offset = offset, self->size = size, self->is_big = is_big, self->header_size = header_size;
    self->base = base, self->least = least, self->most = most;
    self->constants = PyMem_Calloc((size_t)count + 1, sizeof(Constant));
    if (self->constants == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    for (; self->constant_count < count; self->constant_count++) {
        Constant *constant = &self->constants[self->constant_count];
        if (fill_constant(constant, PyTuple_GetItem(constants, self->constant_count), header_size)) {
            PyMem_Free(constant->values);
            Py_DECREF(self);
            return NULL;
        }
    }
    return (PyObject *)self;
}

static void
Header_dealloc(Header *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    for (int index = 0; index < self->constant_count; index++) {
        PyMem_Free(self->constants[index].values);
    }
    PyMem_Free(self->constants);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static PyMethodDef header_methods[] = {
    {"scan", (PyCFunction)Header_scan, METH_VARARGS, "scan(buffer, start, end, limit, out) -> where it stopped"},
    {"scan_frames", (PyCFunction)Header_scan_frames, METH_VARARGS,
     "scan_frames(buffer, start, end, limit, out, base, frame_class) -> where it stopped"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot header_slots[] = {
    {Py_tp_new, Header_new},
    {Py_tp_dealloc, Header_dealloc},
    {Py_tp_methods, header_methods},
    {0, NULL},
};

static PyType_Spec header_spec = {
    "framing._frames.Header", sizeof(Header), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, header_slots};

/* The module. */

static int
fill_module(PyObject *module)
{
    State *state = PyModule_GetState(module);
    if (!(state->data = PyUnicode_InternFromString("data"))
        || !(state->offset = PyUnicode_InternFromString("offset"))) {
        return -1;
    }
    PyObject *header = PyType_FromModuleAndSpec(module, &header_spec, NULL);
    int failed = header == NULL || PyModule_AddObjectRef(module, "Header", header);
    Py_XDECREF(header);
    return failed ? -1 : 0;
}

static int
clear_module(PyObject *module)
{
    State *state = PyModule_GetState(module);
    if (state != NULL) {
        Py_CLEAR(state->data);
        Py_CLEAR(state->offset);
    }
    return 0;
}

static void
free_module(void *module)
{
    clear_module(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, fill_module},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_USED}, /* what Python hands over is changed without a lock of our own */
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "framing._frames",
    .m_doc = "Frames behind a plain header.",
    .m_size = sizeof(State),
    .m_slots = module_slots,
    .m_clear = clear_module,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__frames(void)
{
    return PyModuleDef_Init(&module_definition);
}
