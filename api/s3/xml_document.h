// A request document as a tree: bounded before it is parsed (size, depth), UTF-8 without NUL, and
// so are the texts in it; no DOCTYPE, so no entities beyond the five of XML. What its elements mean
// is the callers' business (xml_in.h and the configurations of buckets).
#pragma once
#include <cstdint>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "api/s3/error.h"

namespace outcrop::s3::xml {

/// Owns the text and the tree in it; nodes are valid as long as it lives.
class Document {
 public:
  explicit Document(std::string text) : x_text(std::move(text)) {}
  /// The root element, which must be called `root`. MalformedXML.
  Outcome<pugi::xml_node> parse(std::string_view root);

 private:
  bool shape_is_sound() const;

  std::string x_text;
  pugi::xml_document x_tree;
};

/// Without a namespace prefix.
std::string_view local_name(const pugi::xml_node& node);
/// All text of an element, also when CDATA or comments split it. MalformedXML if it has elements.
Outcome<std::string> text_of(const pugi::xml_node& element);
/// A whole number; MalformedXML.
Outcome<std::uint64_t> number_of(const pugi::xml_node& element);

/// Calls `use(name, child)`, which gives an Outcome<>, for every child element, in order.
template <class Use>
Outcome<> for_each_child(const pugi::xml_node& element, Use use) {
  for (const pugi::xml_node& child : element.children()) {
    if (child.type() == pugi::node_element) {
      S3_TRYV(use(local_name(child), child));
    }
  }
  return {};
}

/// Sets what must not be given twice. MalformedXML if it was.
template <class T>
Outcome<> set_once(std::optional<T>& slot, Outcome<T> value) {
  if (!value) {
    return std::unexpected(std::move(value).error());
  }
  if (slot) {
    return fail(Code::malformed_xml);
  }
  slot = *std::move(value);
  return {};
}

}  // namespace outcrop::s3::xml
