#include "api/s3/xml_document.h"

#include <charconv>

#include "api/s3/headers.h"
#include "api/s3/payload.h"
#include "api/s3/xml_in.h"
#include "auth/target.h"

namespace outcrop::s3::xml {
namespace {

/// True if every numeric reference is a character XML allows. pugixml would end a text at "&#0;",
/// and a key that is cut short is another key.
bool references_are_sound(std::string_view text) {
  for (auto at = text.find("&#"); at != std::string_view::npos; at = text.find("&#", at + 2)) {
    const std::string_view rest = text.substr(at + 2);
    const bool hex = rest.starts_with('x');
    const char* const begin = rest.data() + (hex ? 1 : 0);
    std::uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(begin, rest.data() + rest.size(), value, hex ? 16 : 10);
    const bool surrogate = value >= 0xd800 && value < 0xe000;
    if (error != std::errc{} || end == rest.data() + rest.size() || *end != ';' || value == 0 ||
        value > 0x10ffff || surrogate) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

Outcome<pugi::xml_node> Document::parse(std::string_view root) {
  constexpr unsigned kOptions = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                                pugi::parse_doctype | pugi::parse_ws_pcdata_single;
  if (x_text.size() > kMaxDocumentBytes || !auth::check_key(x_text) ||
      !references_are_sound(x_text) ||
      !x_tree.load_buffer_inplace(x_text.data(), x_text.size(), kOptions, pugi::encoding_utf8) ||
      !shape_is_sound()) {
    return fail(Code::malformed_xml);
  }
  const pugi::xml_node element = x_tree.document_element();
  if (local_name(element) != root) {
    return fail(Code::malformed_xml);
  }
  return element;
}

/// One root, no DOCTYPE, depth within bounds. No recursion: the depth is the client's.
bool Document::shape_is_sound() const {
  int roots = 0;
  for (const pugi::xml_node& node : x_tree.children()) {
    roots += node.type() == pugi::node_element ? 1 : 0;
    if (node.type() == pugi::node_doctype) {
      return false;
    }
  }
  int depth = 0;
  pugi::xml_node node = x_tree.first_child();
  while (node) {
    if (node.first_child()) {
      node = node.first_child();
      if (++depth > kMaxXmlDepth) {
        return false;
      }
      continue;
    }
    while (node && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    node = node ? node.next_sibling() : node;
  }
  return roots == 1;
}

Outcome<std::string> text_of(const pugi::xml_node& element) {
  std::string out;
  for (const pugi::xml_node& node : element.children()) {
    if (node.type() != pugi::node_pcdata && node.type() != pugi::node_cdata) {
      return fail(Code::malformed_xml);
    }
    out += node.value();
  }
  return out;
}

Outcome<std::uint64_t> number_of(const pugi::xml_node& element) {
  S3_TRY(const std::string text, text_of(element));
  const auto value = parse_number(text);
  return value ? Outcome<std::uint64_t>(*value) : fail(Code::malformed_xml);
}

}  // namespace outcrop::s3::xml
