#include "api/s3/xml_out.h"

#include <charconv>

#include "auth/target.h"
#include "storage/base/assert.h"

namespace outcrop::s3 {
namespace {

constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
constexpr std::string_view kXmlns = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  ///< U+FFFD

bool plain(unsigned char c) {
  return c >= 0x20 && c < 0x7f && c != '&' && c != '<' && c != '>' && c != '"';
}

/// Length of the UTF-8 sequence that starts with `first`, as far as the first byte says.
std::size_t sequence_length(unsigned char first) {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
}

/// Names made over NFS may hold any bytes; one of them must not make a whole listing unreadable.
/// Copies the sequence at the front of `text`, or a replacement for its first byte; bytes taken.
std::size_t append_sequence(std::string& out, std::string_view text) {
  const std::string_view sequence = text.substr(0, sequence_length(text.front()));
  if (sequence.size() == 1 || !auth::check_key(sequence)) {
    out += kReplacement;
    return 1;
  }
  out += sequence;
  return sequence.size();
}

void append_reference(std::string& out, unsigned char c) {
  switch (c) {
    case '&':
      out += "&amp;";
      return;
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '"':
      out += "&quot;";
      return;
    default:
      break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "&#x";
  if (c >= 0x10) {
    out += kHex[c >> 4];
  }
  out += kHex[c & 15];
  out += ';';
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && plain(static_cast<unsigned char>(text[end]))) {
      ++end;
    }
    out.append(text, i, end - i);
    i = end;
    if (i == text.size()) {
      return;
    }
    if (static_cast<unsigned char>(text[i]) >= 0x80) {
      i += append_sequence(out, text.substr(i));
    } else {
      append_reference(out, static_cast<unsigned char>(text[i++]));
    }
  }
}

XmlWriter::XmlWriter(std::string_view root, Namespace ns) : x_out(kDeclaration) {
  open(root, ns == Namespace::s3 ? kXmlns : std::string_view{});
}

XmlWriter& XmlWriter::open(std::string_view tag) { return open(tag, {}); }

XmlWriter& XmlWriter::open(std::string_view tag, std::string_view attributes) {
  x_open.push_back(tag);
  x_out += '<';
  x_out += tag;
  x_out += attributes;
  x_out += '>';
  return *this;
}

XmlWriter& XmlWriter::close() {
  OUTCROP_ASSERT(!x_open.empty());
  x_out += "</";
  x_out += x_open.back();
  x_out += '>';
  x_open.pop_back();
  return *this;
}

/// The tags of an element that holds text only, which is nearly all of a listing.
void XmlWriter::start(std::string_view tag) {
  x_out.push_back('<');
  x_out.append(tag).push_back('>');
}

void XmlWriter::end(std::string_view tag) { x_out.append("</").append(tag).push_back('>'); }

XmlWriter& XmlWriter::text(std::string_view tag, std::string_view value) {
  start(tag);
  append_escaped(x_out, value);
  end(tag);
  return *this;
}

XmlWriter& XmlWriter::number(std::string_view tag, std::uint64_t value) {
  char digits[20];
  const auto last = std::to_chars(digits, digits + sizeof digits, value).ptr;
  start(tag);
  x_out.append(digits, last);
  end(tag);
  return *this;
}

XmlWriter& XmlWriter::content(std::string_view value) {
  append_escaped(x_out, value);
  return *this;
}

XmlWriter& XmlWriter::empty(std::string_view tag) {
  x_out += '<';
  x_out += tag;
  x_out += "/>";
  return *this;
}

XmlWriter& XmlWriter::quoted(std::string_view tag, std::string_view value) {
  start(tag);
  x_out += "&quot;";
  append_escaped(x_out, value);
  x_out += "&quot;";
  end(tag);
  return *this;
}

std::string XmlWriter::take() && {
  while (!x_open.empty()) {
    close();
  }
  return std::move(x_out);
}

}  // namespace outcrop::s3
