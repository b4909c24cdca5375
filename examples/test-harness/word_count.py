"""How often each word is in a text."""

counts = {}


def word_count(text):
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


def most_common(text):
    found = word_count(text)
    return max(found, key=found.get)
