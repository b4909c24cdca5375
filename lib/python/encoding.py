"""The globals as JSON, and what of them it can't carry. A part of the runner (`runner.py`)."""


def plain(value):
    """What JSON can carry of a value of another type: text of bytes, and numbers of numpy's scalars and arrays of no
    dimension."""
    if isinstance(value, bytes):
        return bytes.decode(value)
    if type(value).__module__ == 'numpy' and value.ndim == 0:
        kind = value.dtype.kind
        if kind == 'b':
            return bool(value)
        if kind in 'iu':
            return int(value)
        if kind == 'f':
            return float(value)
        if kind == 'U':
            return str(value)
    raise TypeError(NO_JSON % type_name(value))


def encode(value):
    return ''.join(make_encoder(
        {}, plain, encode_basestring_ascii, None, ':', ',', False, False, True)(value, 0))


def plain_key(key):
    return key if key is None or isinstance(key, (str, int, float)) else plain(key)


def with_plain_keys(value):
    if isinstance(value, dict):
        return {plain_key(key): with_plain_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_plain_keys(item) for item in value]
    return value


def too_deep(value):
    level = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            item for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (list, tuple, dict))]
        if not level:
            return False
    return True


def encode_item(key, value):
    item = {key: value}
    try:
        text = encode(item)
    except TypeError:
        # The encoder asks for what is plain of a value, but never of a key.
        text = encode(with_plain_keys(item))
    if text.count('[') + text.count('{') > MAX_DEPTH and too_deep(value):
        raise RecursionError('nested too deeply')
    return text[1:-1]


def describe_omitted(key, value, why):
    return {
        'name': shortened(text_of(key), MAX_WORD), 'type': shortened(type_name(value), MAX_WORD),
        'why': shortened(why, MAX_WORD)}


def encode_globals(namespace, functions):
    """The globals, but for the server's functions, after what of them JSON can't carry."""
    items = []
    omitted = []
    for key, value in list(namespace.items()):
        # An item that JSON can't carry is left out whole; its methods may raise whatever they like.
        try:
            kind = type(value)
            # Most programs leave some of these, and to try takes two exceptions each.
            if kind is Module or kind is Function or kind is type:
                if functions.get(key) is value:
                    continue
                omitted.append((key, value, NO_JSON % kind.__name__))
            elif key != '__builtins__' and key != '__warningregistry__':
                items.append(encode_item(key, value))
        except BaseException as error:
            omitted.append((key, value, text_of(error)))
    return '%sG{%s}' % (encode_omitted(omitted) if omitted else '', ','.join(items))


def encode_omitted(omitted):
    texts = []
    room = MAX_OMITTED
    for index, (key, value, why) in enumerate(omitted):
        text = encode(describe_omitted(key, value, why))
        room -= len(text) + 1
        if room < 0:
            texts.append(encode({
                'name': '...', 'type': '', 'why': 'and %d more' % (len(omitted) - index)}))
            break
        texts.append(text)
    return 'O[%s]\n' % ','.join(texts)
