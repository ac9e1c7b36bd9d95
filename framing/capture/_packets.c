/* Ordinary packets of a capture, many at a time: the compiled twin of the scans in `ordinary.py`, which are its
 * specification. A property test holds both equal.
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
    PyObject *next_sequence, *pending, *reverse, *packet_count, *last_number, *last_ack, *offset, *syn_sequence; /* names of a Flow's slots */
} State;

static uint32_t
read_u32(const unsigned char *at, int is_big)
{
    if (is_big) {
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

enum { SYN = 0x02, ACK = 0x10, FIN_ACK = 0x11, SYN_ACK = 0x12, FLAGS = 0x17, UNSETTLED = -1, ENDED = -2 };
enum { HEADERS_SIZE = 54, KEY_SIZE = 12, RECORD_SIZE = 16, BLOCK_SIZE = 32, PACKET_TYPE = 6 };
static const uint32_t MAX_RECORD_SIZE = 16 << 20;

/* The bytes of one packet, the flow that owns them, and the next ones of the same flow, or -1. */
typedef struct {
    Py_ssize_t start, end, owner, next;
    int64_t time_ns, number;
} Piece;

/* A FIN, the flow that it ends, and how many packets of the flow there were with it. */
typedef struct {
    Py_ssize_t owner;
    int64_t sequence, number, packet_count;
} End;

/* A flow that this scan has met: read from Python once, written back once. */
typedef struct {
    PyObject *flow;
    unsigned char key[KEY_SIZE];
    int64_t next_sequence, packet_count, last_number, last_ack, offset, first_offset;
    Py_ssize_t first, last, count, size;
} Known;

typedef struct {
    State *state;
    PyObject *flows, *begin;                        /* what a Joining has */
    const unsigned char *bytes;
    Known *known;
    Py_ssize_t known_count, known_room;
    Py_ssize_t *slots, slot_count;                  /* hash of the key -> index in known, or -1; a power of two */
    Piece *pieces;
    Py_ssize_t piece_count, piece_room;
    End *ends;
    Py_ssize_t end_count, end_room;
} Scan;

static uint32_t
hash_key(const unsigned char *key)
{
    uint32_t hash = 2166136261u;
    for (int place = 0; place < KEY_SIZE; place += 4) {
        hash = (hash ^ read_u32(key + place, 1)) * 2654435761u;
        hash ^= hash >> 15;
    }
    return hash;
}

static int
grow(void **items, Py_ssize_t *room, size_t size)
{
    Py_ssize_t wanted = *room ? 2 * *room : 64;
    void *grown = PyMem_Realloc(*items, (size_t)wanted * size);
    if (grown == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *items = grown;
    *room = wanted;
    return 0;
}

static void
put_slot(Scan *scan, Py_ssize_t index)
{
    Py_ssize_t mask = scan->slot_count - 1;
    Py_ssize_t slot = hash_key(scan->known[index].key) & mask;
    while (scan->slots[slot] >= 0) {
        slot = (slot + 1) & mask;
    }
    scan->slots[slot] = index;
}

/* Keep at least half of the slots free, so that a search always ends. */
static int
grow_slots(Scan *scan)
{
    Py_ssize_t count = scan->slot_count ? 4 * scan->slot_count : 64;
    Py_ssize_t *slots = PyMem_Realloc(scan->slots, (size_t)count * sizeof(Py_ssize_t));
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    scan->slots = slots;
    scan->slot_count = count;
    for (Py_ssize_t slot = 0; slot < count; slot++) {
        slots[slot] = -1;
    }
    for (Py_ssize_t index = 0; index < scan->known_count; index++) {
        put_slot(scan, index);
    }
    return 0;
}

/* 1 and the number, 0 where it is too large for us, -1 with an exception. */
static int
get_number(PyObject *owner, PyObject *name, int64_t *number)
{
    PyObject *value = PyObject_GetAttr(owner, name);
    if (value == NULL) {
        return -1;
    }
    int overflow = 0;
    *number = PyLong_AsLongLongAndOverflow(value, &overflow);
    Py_DECREF(value);
    if (*number == -1 && PyErr_Occurred()) {
        return -1;
    }
    return !overflow && *number < (int64_t)1 << 62;
}

/* Whether nothing waits in a flow: 1 or 0, -1 with an exception. */
static int
is_in_order(State *state, PyObject *flow)
{
    PyObject *pending = PyObject_GetAttr(flow, state->pending);
    Py_ssize_t size = pending ? PyObject_Size(pending) : -1;
    Py_XDECREF(pending);
    return size < 0 ? -1 : size == 0;
}

/* Read a flow from Python: 1, 0 where it is not one to go on with, -1 with an exception. */
static int
load_flow(State *state, PyObject *flow, Known *known)
{
    PyObject *reverse = PyObject_GetAttr(flow, state->reverse);
    int good = reverse ? is_in_order(state, reverse) : -1;
    Py_XDECREF(reverse);
    PyObject *names[] = {state->next_sequence, state->packet_count, state->last_number, state->last_ack,
                         state->offset};
    int64_t *numbers[] = {&known->next_sequence, &known->packet_count, &known->last_number, &known->last_ack,
                          &known->offset};
    for (int index = 0; index < 5 && good == 1; index++) {
        good = get_number(flow, names[index], numbers[index]);
    }
    return good == 1 ? is_in_order(state, flow) : good;
}

/* The index of the flow with this key, -1 if there is none to go on with, -2 with an exception. */
static Py_ssize_t
find_flow(Scan *scan, const unsigned char *key)
{
    if (scan->slot_count) {
        Py_ssize_t mask = scan->slot_count - 1;
        for (Py_ssize_t slot = hash_key(key) & mask; scan->slots[slot] >= 0; slot = (slot + 1) & mask) {
            if (!memcmp(scan->known[scan->slots[slot]].key, key, KEY_SIZE)) {
                return scan->slots[slot];
            }
        }
    }
    PyObject *name = PyBytes_FromStringAndSize((const char *)key, KEY_SIZE);
    PyObject *flow = name ? Py_XNewRef(PyDict_GetItemWithError(scan->flows, name)) : NULL;
    Py_XDECREF(name);
    if (flow == NULL) {
        return PyErr_Occurred() ? -2 : -1;
    }
    Known known = {.flow = flow, .first = -1, .last = -1};
    memcpy(known.key, key, KEY_SIZE);
    int good = load_flow(scan->state, flow, &known);
    if (good == 1 && scan->known_count == scan->known_room) {
        good = grow((void **)&scan->known, &scan->known_room, sizeof(Known)) ? -1 : 1;
    }
    if (good == 1 && 2 * (scan->known_count + 1) > scan->slot_count) {
        good = grow_slots(scan) ? -1 : 1;
    }
    if (good != 1) {
        Py_DECREF(flow);
        return good - 1;
    }
    known.first_offset = known.offset;
    scan->known[scan->known_count] = known;
    put_slot(scan, scan->known_count);
    return scan->known_count++;
}

static int
add_piece(Scan *scan, Piece piece)
{
    Known *known = &scan->known[piece.owner];
    if (scan->piece_count == scan->piece_room && grow((void **)&scan->pieces, &scan->piece_room, sizeof(Piece))) {
        return -1;
    }
    if (known->first < 0) {
        known->first = scan->piece_count;
    }
    else {
        scan->pieces[known->last].next = scan->piece_count;
    }
    known->last = scan->piece_count;
    known->count++;
    known->size += piece.end - piece.start;
    scan->pieces[scan->piece_count++] = piece;
    return 0;
}

static int
set_number(PyObject *owner, PyObject *name, int64_t number)
{
    PyObject *value = PyLong_FromLongLong(number);
    int failed = value == NULL || PyObject_SetAttr(owner, name, value);
    Py_XDECREF(value);
    return failed ? -1 : 0;
}

/* Begin a flow with the answer to a SYN: 1, 0 if there was no SYN or it is no flow to begin, -1 with an exception. */
static int
begin_flow(State *state, Known *known, uint32_t sequence)
{
    if (known->packet_count || known->next_sequence != UNSETTLED) {
        return 0;
    }
    int64_t asked = -1;
    PyObject *reverse = PyObject_GetAttr(known->flow, state->reverse);
    int good = reverse ? get_number(reverse, state->syn_sequence, &asked) : -1;
    Py_XDECREF(reverse);
    if (good != 1 || asked < 0) {
        return good < 0 ? -1 : 0;
    }
    known->next_sequence = (uint32_t)(sequence + 1);
    return set_number(known->flow, state->syn_sequence, sequence) ? -1 : 1;
}

/* Whether a packet without payload is of a flow's edge, where it has another number than the next byte: 1 if it answers
 * a SYN or is an acknowledgement behind the end, 0 if it is neither, -1 with an exception. */
static int
is_at_edge(State *state, Known *known, uint32_t sequence, int flags)
{
    if (flags == ACK) {
        return known->next_sequence == ENDED;
    }
    return flags == SYN_ACK ? begin_flow(state, known, sequence) : 0;
}

/* Ask for a connection that begins with this SYN: 1, 0 where it is left to Python, -1 with an exception. What is asked
 * finds the flows as they were before this scan; it looks at none of them but those that it makes. */
static int
begin_connection(const Scan *scan, const unsigned char *key, uint32_t sequence, int64_t number)
{
    PyObject *begun = PyObject_CallFunction(scan->begin, "y#kL", (const char *)key, (Py_ssize_t)KEY_SIZE,
                                            (unsigned long)sequence, (long long)number);
    int good = begun ? PyObject_IsTrue(begun) : -1;
    Py_XDECREF(begun);
    return good;
}

static int
add_end(Scan *scan, Py_ssize_t owner, int64_t number)
{
    Known *known = &scan->known[owner];
    if (scan->end_count == scan->end_room && grow((void **)&scan->ends, &scan->end_room, sizeof(End))) {
        return -1;
    }
    End end = {owner, known->next_sequence, number, known->packet_count};
    scan->ends[scan->end_count++] = end;
    known->next_sequence = ENDED;
    return 0;
}

/* Take the packet from `start` to `stop`, which lie in the buffer: 1, 0 if it is no ordinary one, -1 with an exception. */
static int
take_packet(Scan *scan, Py_ssize_t start, Py_ssize_t stop, int64_t time_ns, int64_t number)
{
    if (stop - start < HEADERS_SIZE) {
        return 0;
    }
    const unsigned char *at = scan->bytes + start;
    if (at[12] != 0x08 || at[13] != 0x00 || at[14] != 0x45 || at[23] != 6 || (at[20] & 0x3F) || at[21]) {
        return 0;
    }
    int flags = at[47] & FLAGS;
    if (flags != ACK && flags != FIN_ACK && flags != SYN_ACK && flags != SYN) {
        return 0;
    }
    Py_ssize_t first = start + 34 + (at[46] >> 4) * 4;
    Py_ssize_t end = start + 14 + (at[16] << 8 | at[17]);
    if (at[46] < 0x50 || first > end || end > stop) {
        return 0;
    }
    uint32_t sequence = read_u32(at + 38, 1);
    if (flags == SYN) {
        return first == end ? begin_connection(scan, at + 26, sequence, number) : 0;
    }
    Py_ssize_t index = find_flow(scan, at + 26);
    if (index < 0) {
        return (int)index + 1;
    }
    Known *known = &scan->known[index];
    if (known->next_sequence != (int64_t)sequence) {
        int good = first < end ? 0 : is_at_edge(scan->state, known, sequence, flags);
        if (good != 1) {
            return good;
        }
    }
    else if (flags == SYN_ACK) {
        return 0;
    }
    if (first < end) {
        Piece piece = {first, end, index, -1, time_ns, number};
        if (add_piece(scan, piece)) {
            return -1;
        }
        known->next_sequence = (uint32_t)(sequence + (uint32_t)(end - first));
        known->offset += end - first;
    }
    known->packet_count++;
    known->last_number = number;
    known->last_ack = read_u32(at + 42, 1);
    return flags == FIN_ACK && add_end(scan, index, number) ? -1 : 1;
}

static int
store_flow(State *state, const Known *known)
{
    return set_number(known->flow, state->next_sequence, known->next_sequence)
           || set_number(known->flow, state->packet_count, known->packet_count)
           || set_number(known->flow, state->last_number, known->last_number)
           || set_number(known->flow, state->last_ack, known->last_ack)
           || set_number(known->flow, state->offset, known->offset);
}

/* Join the pieces of a flow. */
static PyObject *
joined(const Scan *scan, const Known *known)
{
    PyObject *data = PyBytes_FromStringAndSize(NULL, known->size);
    char *target = data ? PyBytes_AsString(data) : NULL;
    for (Py_ssize_t index = known->first; index >= 0 && target; index = scan->pieces[index].next) {
        const Piece *piece = &scan->pieces[index];
        size_t size = (size_t)(piece->end - piece->start);
        memcpy(target, scan->bytes + piece->start, size);
        target += size;
    }
    return data;
}

/* Where in them each piece ends, its time and number, as `pack_mark` of flow.py packs them; nothing for a single one. */
static PyObject *
packed_marks(const Scan *scan, const Known *known)
{
    Py_ssize_t count = known->count > 1 ? known->count : 0;
    PyObject *marks = PyBytes_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(int64_t[3]));
    char *target = marks && count ? PyBytes_AsString(marks) : NULL;
    int64_t size = 0;
    for (Py_ssize_t index = known->first; index >= 0 && target; index = scan->pieces[index].next) {
        const Piece *piece = &scan->pieces[index];
        size += piece->end - piece->start;
        int64_t mark[3] = {size, piece->time_ns, piece->number};
        memcpy(target, mark, sizeof(mark));
        target += sizeof(mark);
    }
    return marks;
}

/* The fields of a Chunk. */
static PyObject *
chunk_parts(const Scan *scan, const Known *known)
{
    PyObject *data = joined(scan, known);
    PyObject *marks = data ? packed_marks(scan, known) : NULL;
    PyObject *parts = NULL;
    if (marks != NULL) {
        const Piece *last = &scan->pieces[known->last];
        parts = Py_BuildValue("(OLLOLO)", known->flow, (long long)last->time_ns, (long long)known->first_offset, data,
                              (long long)last->number, marks);
    }
    Py_XDECREF(data);
    Py_XDECREF(marks);
    return parts;
}

/* Write all flows back, and return the arguments of their chunks in the order in which they got their first bytes. */
static PyObject *
chunks_of(Scan *scan)
{
    PyObject *chunks = PyList_New(0);
    for (Py_ssize_t index = 0; index < scan->known_count && chunks; index++) {
        if (store_flow(scan->state, &scan->known[index])) {
            Py_CLEAR(chunks);
        }
    }
    for (Py_ssize_t place = 0; place < scan->piece_count && chunks; place++) {
        const Known *known = &scan->known[scan->pieces[place].owner];
        if (known->first != place) {
            continue;
        }
        PyObject *parts = chunk_parts(scan, known);
        if (parts == NULL || PyList_Append(chunks, parts)) {
            Py_CLEAR(chunks);
        }
        Py_XDECREF(parts);
    }
    return chunks;
}

/* The arguments of `finish` for each end. */
static PyObject *
ends_of(const Scan *scan)
{
    PyObject *ends = PyList_New(scan->end_count);
    for (Py_ssize_t place = 0; place < scan->end_count && ends; place++) {
        const End *end = &scan->ends[place];
        PyObject *parts = Py_BuildValue("(OLLL)", scan->known[end->owner].flow, (long long)end->sequence,
                                        (long long)end->number, (long long)end->packet_count);
        if (parts == NULL || PyList_SetItem(ends, place, parts)) {
            Py_CLEAR(ends);
        }
    }
    return ends;
}

static PyObject *
finished(Scan *scan, Py_ssize_t position, int64_t number, int failed)
{
    PyObject *chunks = failed ? NULL : chunks_of(scan);
    PyObject *ends = chunks ? ends_of(scan) : NULL;
    for (Py_ssize_t index = 0; index < scan->known_count; index++) {
        Py_DECREF(scan->known[index].flow);
    }
    PyMem_Free(scan->known);
    PyMem_Free(scan->slots);
    PyMem_Free(scan->pieces);
    PyMem_Free(scan->ends);
    if (ends == NULL) {
        Py_XDECREF(chunks);
        return NULL;
    }
    return Py_BuildValue("(nLNN)", position, (long long)number, chunks, ends);
}

static int
check_scan(PyObject *buffer, Py_ssize_t position, long long number)
{
    if (position < 0 || position > PyBytes_Size(buffer) || number < 0 || number > (long long)1 << 61) {
        PyErr_SetString(PyExc_ValueError, "position and number are not those of a record");
        return -1;
    }
    return 0;
}

static PyObject *
scan_pcap(PyObject *module, PyObject *args)
{
    PyObject *buffer, *flows, *begin;
    Py_ssize_t position, header_size;
    long long number, scale;
    int is_big;
    if (!PyArg_ParseTuple(args, "SnL(pnL)(O!O)", &buffer, &position, &number, &is_big, &header_size, &scale,
                          &PyDict_Type, &flows, &begin)
        || check_scan(buffer, position, number)) {
        return NULL;
    }
    if (header_size < RECORD_SIZE || header_size > 64 || scale < 1 || scale > 1000) {
        PyErr_SetString(PyExc_ValueError, "no layout of a pcap file");
        return NULL;
    }
    Scan scan = {.state = PyModule_GetState(module), .flows = flows, .begin = begin};
    scan.bytes = (const unsigned char *)PyBytes_AsString(buffer);
    Py_ssize_t size = PyBytes_Size(buffer);
    int taken = 1;
    while (size - position >= header_size) {
        const unsigned char *at = scan.bytes + position;
        uint32_t captured = read_u32(at + 8, is_big);
        Py_ssize_t start = position + header_size;
        if (captured > MAX_RECORD_SIZE || (Py_ssize_t)captured > size - start) {
            break;
        }
        /* Below 2**32 * 10**9 + 2**32 * 10**3, which an int64_t holds. */
        int64_t time_ns = read_u32(at, is_big) * (int64_t)1000000000 + read_u32(at + 4, is_big) * (int64_t)scale;
        taken = take_packet(&scan, start, start + (Py_ssize_t)captured, time_ns, number + 1);
        if (taken != 1) {
            break;
        }
        position = start + (Py_ssize_t)captured;
        number++;
    }
    return finished(&scan, position, number, taken < 0);
}

/* What an interface's clock says in nanoseconds: 1, 0 if it has no simple one or the number is too large. */
static int
read_clock(PyObject *clocks, uint32_t interface, uint64_t ticks, int64_t *time_ns)
{
    if (interface >= (uint64_t)PyList_Size(clocks)) {
        return 0;
    }
    PyObject *clock = PyList_GetItem(clocks, (Py_ssize_t)interface);
    PyObject *factor = clock && PyTuple_Check(clock) ? PyTuple_GetItem(clock, 0) : NULL;
    PyObject *added = factor ? PyTuple_GetItem(clock, 1) : NULL;
    int far = 0, further = 0;
    int64_t scale = added ? PyLong_AsLongLongAndOverflow(factor, &far) : -1;
    int64_t offset = added ? PyLong_AsLongLongAndOverflow(added, &further) : -1;
    const int64_t most = (int64_t)1 << 62;
    if (added == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "a clock is a factor and what is added");
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    if (far || further || scale < 1 || ticks > (uint64_t)(most / scale) || offset > most - 1 || offset < -most) {
        return 0;
    }
    *time_ns = (int64_t)ticks * scale + offset;
    return 1;
}

static PyObject *
scan_pcapng(PyObject *module, PyObject *args)
{
    PyObject *buffer, *flows, *begin, *clocks;
    Py_ssize_t position;
    long long number;
    int is_big;
    if (!PyArg_ParseTuple(args, "SnL(pO!)(O!O)", &buffer, &position, &number, &is_big, &PyList_Type, &clocks,
                          &PyDict_Type, &flows, &begin)
        || check_scan(buffer, position, number)) {
        return NULL;
    }
    Scan scan = {.state = PyModule_GetState(module), .flows = flows, .begin = begin};
    scan.bytes = (const unsigned char *)PyBytes_AsString(buffer);
    Py_ssize_t left;
    int taken = 1;
    while ((left = PyBytes_Size(buffer) - position) >= BLOCK_SIZE) {
        const unsigned char *at = scan.bytes + position;
        uint32_t size = read_u32(at + 4, is_big), captured = read_u32(at + 20, is_big);
        if (read_u32(at, is_big) != PACKET_TYPE || size % 4 || size < BLOCK_SIZE || size > MAX_RECORD_SIZE
            || captured > size - BLOCK_SIZE || (Py_ssize_t)size > left || read_u32(at + size - 4, is_big) != size) {
            break;
        }
        int64_t time_ns = 0;
        uint64_t ticks = (uint64_t)read_u32(at + 12, is_big) << 32 | read_u32(at + 16, is_big);
        taken = read_clock(clocks, read_u32(at + 8, is_big), ticks, &time_ns);
        if (taken == 1) {
            Py_ssize_t start = position + BLOCK_SIZE - 4;
            taken = take_packet(&scan, start, start + (Py_ssize_t)captured, time_ns, number + 1);
        }
        if (taken != 1) {
            break;
        }
        position += (Py_ssize_t)size;
        number++;
    }
    return finished(&scan, position, number, taken < 0);
}

/* The module. */

static int
fill_module(PyObject *module)
{
    State *state = PyModule_GetState(module);
    if (!(state->next_sequence = PyUnicode_InternFromString("next_sequence"))
        || !(state->pending = PyUnicode_InternFromString("pending"))
        || !(state->reverse = PyUnicode_InternFromString("reverse"))
        || !(state->packet_count = PyUnicode_InternFromString("packet_count"))
        || !(state->last_number = PyUnicode_InternFromString("last_number"))
        || !(state->last_ack = PyUnicode_InternFromString("last_ack"))
        || !(state->offset = PyUnicode_InternFromString("offset"))
        || !(state->syn_sequence = PyUnicode_InternFromString("syn_sequence"))) {
        return -1;
    }
    return 0;
}

static int
clear_module(PyObject *module)
{
    State *state = PyModule_GetState(module);
    if (state != NULL) {
        Py_CLEAR(state->next_sequence);
        Py_CLEAR(state->pending);
        Py_CLEAR(state->reverse);
        Py_CLEAR(state->packet_count);
        Py_CLEAR(state->last_number);
        Py_CLEAR(state->last_ack);
        Py_CLEAR(state->offset);
        Py_CLEAR(state->syn_sequence);
    }
    return 0;
}

static void
free_module(void *module)
{
    clear_module(module);
}

static PyMethodDef module_methods[] = {
    {"scan_pcap", scan_pcap, METH_VARARGS, "scan_pcap(buffer, position, number, layout, joining), see ordinary.py"},
    {"scan_pcapng", scan_pcapng, METH_VARARGS, "scan_pcapng(buffer, position, number, layout, joining), see ordinary.py"},
    {NULL, NULL, 0, NULL},
};

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
    .m_name = "framing.capture._packets",
    .m_doc = "Ordinary packets of a capture, many at a time.",
    .m_size = sizeof(State),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_clear = clear_module,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__packets(void)
{
    return PyModuleDef_Init(&module_definition);
}
