// Writes the XML documents of S3 answers: fixed order, one escaping rule, declaration at byte 0.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outcrop::s3 {

/// Appends `text` so that any XML parser gives the same bytes back; control characters become
/// numeric references, as AWS writes them.
void append_escaped(std::string& out, std::string_view text);

class XmlWriter {
 public:
  enum class Namespace : std::uint8_t { none, s3 };

  explicit XmlWriter(std::string_view root, Namespace ns = Namespace::s3);

  /// Tags are borrowed until the matching close(); they are literals everywhere.
  XmlWriter& open(std::string_view tag);
  XmlWriter& open(std::string_view tag, std::string_view attributes);
  XmlWriter& close();
  XmlWriter& text(std::string_view tag, std::string_view value);
  XmlWriter& number(std::string_view tag, std::uint64_t value);
  XmlWriter& flag(std::string_view tag, bool value) { return text(tag, value ? "true" : "false"); }
  /// Text of the open element itself.
  XmlWriter& content(std::string_view value);
  XmlWriter& empty(std::string_view tag);
  /// The value in double quotes, as ETags are written.
  XmlWriter& quoted(std::string_view tag, std::string_view value);
  void reserve(std::size_t bytes) { x_out.reserve(bytes); }

  /// Closes what is open and gives the document.
  std::string take() &&;

 private:
  void start(std::string_view tag);
  void end(std::string_view tag);

  std::string x_out;
  std::vector<std::string_view> x_open;
};

}  // namespace outcrop::s3
