#include "output/streams.h"

#include <strings.h>

#include <cstring>

#include "output/buffer.h"
#include "output/pace.h"
#include "output/python.h"

namespace codejail {
namespace {

enum StreamNumber { kOutput, kError, kStreams };

constexpr const char* kNames[kStreams] = {"stdout", "stderr"};

// To encode a text leaves a copy with it, for as long as it lives: only of short ones.
constexpr Py_ssize_t kShortText = 1024;

struct Stream {
  constexpr Stream(int descriptor, char* bytes) : buffer(descriptor, bytes) {}

  OutputBuffer buffer;
  // Whether texts come here by themselves, and whether bytes do: not once they are detached or
  // closed, which Python's own methods then tell.
  bool takes_text = false;
  bool takes_bytes = false;
  bool is_line_buffered = false;
  // Python's own methods.
  PyObject* text = nullptr;  // the stream, for as long as the process lives
  PyObject* write_text = nullptr;
  PyObject* detach_text = nullptr;
  PyObject* reconfigure = nullptr;
  PyObject* write_bytes = nullptr;
  PyObject* detach_bytes = nullptr;
  PyObject* close = nullptr;
};

char held[kStreams][kHeldBytes];

Stream streams[kStreams] = {{1, held[kOutput]}, {2, held[kError]}};

PyObject* none() {
  return Py_BuildValue("");
}

PyObject* call(PyObject* method, PyObject* argument) {
  return PyObject_CallFunctionObjArgs(method, argument, nullptr);
}

bool has(const char* bytes, std::size_t size, char character) {
  return std::memchr(bytes, character, size) != nullptr;
}

bool take(Stream& stream, const char* bytes, std::size_t size, bool is_text) {
  if (size == 0) {
    return true;
  }
  if (!stream.buffer.put(bytes, size)) {
    return false;
  }
  const bool ends_line = has(bytes, size, '\n');
  if (is_text && stream.is_line_buffered && (ends_line || has(bytes, size, '\r'))) {
    const bool is_written = stream.buffer.flush();
    Pace::rest();
    return is_written;
  }
  if (ends_line) {
    Pace::end_line(stream.buffer);
  } else if (!stream.buffer.is_empty()) {
    Pace::go_on(stream.buffer);
  }
  return true;
}

bool take_encoded(Stream& stream, PyObject* encoded) {
  char* bytes = nullptr;
  Py_ssize_t size = 0;
  return encoded != nullptr && PyBytes_AsStringAndSize(encoded, &bytes, &size) == 0 &&
         take(stream, bytes, static_cast<std::size_t>(size), true);
}

PyObject* attribute(PyObject* object, const char* name) {
  PyObject* const found = PyObject_GetAttrString(object, name);
  if (found == nullptr) {
    PyErr_Clear();
  }
  return found;
}

// ---- What stands for Python's methods

template <StreamNumber kNumber>
PyObject* write_text(PyObject* /*self*/, PyObject* text) {
  Stream& stream = streams[kNumber];
  const Py_ssize_t length = stream.takes_text ? PyUnicode_GetLength(text) : -1;
  if (length < 0) {
    // Whatever is wrong, Python's own method says it.
    PyErr_Clear();
    return call(stream.write_text, text);
  }
  if (length <= kShortText) {
    Py_ssize_t size = 0;
    if (const char* const bytes = PyUnicode_AsUTF8AndSize(text, &size)) {
      return take(stream, bytes, static_cast<std::size_t>(size), true) ? PyLong_FromSsize_t(length)
                                                                       : nullptr;
    }
    PyErr_Clear();  // lone surrogates, which the stream may have an answer for
  }
  const Reference errors(PyObject_GetAttrString(stream.text, "errors"));
  const char* const answer =
      errors.valid() ? PyUnicode_AsUTF8AndSize(errors.get(), nullptr) : nullptr;
  if (answer == nullptr) {
    return nullptr;
  }
  const Reference encoded(PyUnicode_AsEncodedString(text, "utf-8", answer));
  return take_encoded(stream, encoded.get()) ? PyLong_FromSsize_t(length) : nullptr;
}

template <StreamNumber kNumber>
PyObject* detach_text(PyObject* /*self*/, PyObject* /*nothing*/) {
  streams[kNumber].takes_text = false;
  return call(streams[kNumber].detach_text, nullptr);
}

template <StreamNumber kNumber>
PyObject* write_bytes(PyObject* /*self*/, PyObject* object) {
  Stream& stream = streams[kNumber];
  if (!stream.takes_bytes) {
    return call(stream.write_bytes, object);
  }
  Py_buffer view;
  if (PyObject_GetBuffer(object, &view, 0) != 0) {
    return nullptr;
  }
  const Py_ssize_t size = view.size;
  const bool is_taken =
      take(stream, static_cast<const char*>(view.bytes), static_cast<std::size_t>(size), false);
  PyBuffer_Release(&view);
  return is_taken ? PyLong_FromSsize_t(size) : nullptr;
}

template <StreamNumber kNumber>
PyObject* flush_bytes(PyObject* /*self*/, PyObject* /*nothing*/) {
  const bool is_written = streams[kNumber].buffer.flush();
  Pace::rest();
  return is_written ? none() : nullptr;
}

template <StreamNumber kNumber>
PyObject* detach_bytes(PyObject* /*self*/, PyObject* /*nothing*/) {
  Stream& stream = streams[kNumber];
  // It flushes what Python holds, which is nothing.
  if (!stream.buffer.flush()) {
    return nullptr;
  }
  stream.takes_text = false;
  stream.takes_bytes = false;
  return call(stream.detach_bytes, nullptr);
}

template <StreamNumber kNumber>
PyObject* close_file(PyObject* /*self*/, PyObject* /*nothing*/) {
  streams[kNumber].takes_text = false;
  streams[kNumber].takes_bytes = false;
  return call(streams[kNumber].close, nullptr);
}

bool is_true(PyObject* object, const char* name) {
  const Reference value(attribute(object, name));
  return value.valid() && PyObject_IsTrue(value.get()) == 1;
}

bool is_utf8(PyObject* text) {
  const Reference encoding(attribute(text, "encoding"));
  const char* const name =
      encoding.valid() ? PyUnicode_AsUTF8AndSize(encoding.get(), nullptr) : nullptr;
  if (name == nullptr) {
    PyErr_Clear();
    return false;
  }
  return strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "utf8") == 0;
}

// Whether a stream that was given this as `newline` leaves the ends of lines as they are.
bool keeps_newlines(PyObject* newline) {
  const char* const text = PyUnicode_AsUTF8AndSize(newline, nullptr);
  if (text == nullptr) {
    PyErr_Clear();  // None: as the system has them
    return true;
  }
  return *text == '\0' || std::strcmp(text, "\n") == 0;
}

// What the stream encodes itself goes on to its buffer at once. False where a Python error is set.
bool write_through(Stream& stream) {
  const Reference words(Py_BuildValue("()"));
  const Reference named(Py_BuildValue("{s:i}", "write_through", 1));
  if (!words.valid() || !named.valid()) {
    return false;
  }
  const Reference done(PyObject_Call(stream.reconfigure, words.get(), named.get()));
  return done.valid();
}

template <StreamNumber kNumber>
PyObject* reconfigure(PyObject* words, PyObject* named) {
  Stream& stream = streams[kNumber];
  Reference result(PyObject_Call(stream.reconfigure, words, named));
  if (!result.valid()) {
    return nullptr;
  }
  PyObject* const newline = named == nullptr ? nullptr : PyDict_GetItemString(named, "newline");
  if (stream.takes_text || newline != nullptr) {
    stream.takes_text = stream.takes_bytes && is_utf8(stream.text) &&
                        (newline == nullptr || keeps_newlines(newline));
  }
  stream.is_line_buffered = is_true(stream.text, "line_buffering");
  return stream.takes_text || write_through(stream) ? result.release() : nullptr;
}

template <StreamNumber kNumber>
PyObject* reconfigure_words(PyObject* /*self*/, PyObject* words, PyObject* named) {
  return reconfigure<kNumber>(words, named);
}

// ---- Taking a stream

template <StreamNumber kNumber>
struct Methods {
  static PyMethodDef write_text;
  static PyMethodDef detach_text;
  static PyMethodDef reconfigure;
  static PyMethodDef write_bytes;
  static PyMethodDef flush_bytes;
  static PyMethodDef detach_bytes;
  static PyMethodDef close;
};

template <StreamNumber kNumber>
PyMethodDef Methods<kNumber>::write_text{"write", codejail::write_text<kNumber>, METH_O, nullptr};
template <StreamNumber kNumber>
PyMethodDef Methods<kNumber>::detach_text{"detach", codejail::detach_text<kNumber>, METH_NOARGS,
                                          nullptr};
template <StreamNumber kNumber>
PyMethodDef Methods<kNumber>::reconfigure{
    "reconfigure", reinterpret_cast<PyCFunction>(codejail::reconfigure_words<kNumber>),
    METH_VARARGS | METH_KEYWORDS, nullptr};
template <StreamNumber kNumber>
PyMethodDef Methods<kNumber>::write_bytes{"write", codejail::write_bytes<kNumber>, METH_O, nullptr};
template <StreamNumber kNumber>
PyMethodDef Methods<kNumber>::flush_bytes{"flush", codejail::flush_bytes<kNumber>, METH_NOARGS,
                                          nullptr};
template <StreamNumber kNumber>
PyMethodDef Methods<kNumber>::detach_bytes{"detach", codejail::detach_bytes<kNumber>, METH_NOARGS,
                                           nullptr};
template <StreamNumber kNumber>
PyMethodDef Methods<kNumber>::close{"close", codejail::close_file<kNumber>, METH_NOARGS, nullptr};

bool replace(PyObject* object, PyMethodDef& method) {
  const Reference function(PyCFunction_NewEx(&method, nullptr, nullptr));
  return function.valid() && PyObject_SetAttrString(object, method.name, function.get()) == 0;
}

// Whether it is of the very type that Python makes it of.
bool is_exactly(PyObject* object, const char* type_name) {
  const Reference io(PyImport_ImportModule("_io"));
  const Reference wanted(io.valid() ? attribute(io.get(), type_name) : nullptr);
  const Reference type(PyObject_Type(object));
  return wanted.valid() && wanted.get() == type.get();
}

bool has_descriptor(PyObject* raw, int descriptor) {
  const Reference fileno(attribute(raw, "fileno"));
  const Reference number(fileno.valid() ? call(fileno.get(), nullptr) : nullptr);
  return number.valid() && PyLong_AsLong(number.get()) == descriptor;
}

template <StreamNumber kNumber>
void take_stream() {
  Stream& stream = streams[kNumber];
  PyObject* const text = PySys_GetObject(kNames[kNumber]);
  if (text == nullptr || !is_exactly(text, "TextIOWrapper")) {
    return;
  }
  const Reference bytes(attribute(text, "buffer"));
  if (!bytes.valid() || !is_exactly(bytes.get(), "BufferedWriter")) {
    return;
  }
  const Reference raw(attribute(bytes.get(), "raw"));
  if (!raw.valid() || !is_exactly(raw.get(), "FileIO") || !has_descriptor(raw.get(), kNumber + 1)) {
    return;
  }
  stream.write_text = attribute(text, "write");
  stream.detach_text = attribute(text, "detach");
  stream.reconfigure = attribute(text, "reconfigure");
  stream.write_bytes = attribute(bytes.get(), "write");
  stream.detach_bytes = attribute(bytes.get(), "detach");
  stream.close = attribute(raw.get(), "close");
  // What has been printed so far comes first.
  const Reference flush(attribute(text, "flush"));
  const Reference flushed(flush.valid() ? call(flush.get(), nullptr) : nullptr);
  if (stream.write_text == nullptr || stream.detach_text == nullptr ||
      stream.reconfigure == nullptr || stream.write_bytes == nullptr ||
      stream.detach_bytes == nullptr || stream.close == nullptr || !flushed.valid()) {
    return;
  }
  using Own = Methods<kNumber>;
  // From the lowest up: where one fails, those above it write as they did.
  if (!replace(raw.get(), Own::close) || !replace(bytes.get(), Own::detach_bytes) ||
      !replace(bytes.get(), Own::flush_bytes) || !replace(bytes.get(), Own::write_bytes)) {
    return;
  }
  stream.text = text;
  stream.takes_bytes = true;
  stream.is_line_buffered = is_true(text, "line_buffering");
  if (!is_utf8(text) && !write_through(stream)) {
    return;
  }
  if (replace(text, Own::reconfigure) && replace(text, Own::detach_text) &&
      replace(text, Own::write_text)) {
    stream.takes_text = is_utf8(text);
  }
}

}  // namespace

void take_streams() {
  Pace::begin(&streams[kOutput].buffer, &streams[kError].buffer);
  take_stream<kOutput>();
  PyErr_Clear();
  take_stream<kError>();
  PyErr_Clear();
}

}  // namespace codejail
