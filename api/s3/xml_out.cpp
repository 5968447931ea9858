#include "api/s3/xml_out.h"

#include <charconv>

#include "storage/base/assert.h"

namespace outcrop::s3 {
namespace {

constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
constexpr std::string_view kXmlns = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

bool plain(unsigned char c) {
  return c >= 0x20 && c != '&' && c != '<' && c != '>' && c != '"' && c != 0x7f;
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
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!plain(c)) {
      out.append(text, begin, i - begin);
      append_reference(out, c);
      begin = i + 1;
    }
  }
  out.append(text, begin);
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

XmlWriter& XmlWriter::text(std::string_view tag, std::string_view value) {
  open(tag);
  append_escaped(x_out, value);
  return close();
}

XmlWriter& XmlWriter::number(std::string_view tag, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return text(tag, std::string_view(digits, end));
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
  open(tag);
  x_out += "&quot;";
  append_escaped(x_out, value);
  x_out += "&quot;";
  return close();
}

std::string XmlWriter::take() && {
  while (!x_open.empty()) {
    close();
  }
  return std::move(x_out);
}

}  // namespace outcrop::s3
