#include "tests/property/cross_op.h"

#include <array>
#include <cstdio>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::test {
namespace {

constexpr std::array kNames = {"put",
                               "get",
                               "stat",
                               "remove_key",
                               "copy",
                               "rename_key",
                               "list",
                               "open_reader",
                               "check_reader",
                               "create_upload",
                               "put_part",
                               "copy_part",
                               "complete",
                               "abort",
                               "lookup",
                               "parent",
                               "read_directory",
                               "create",
                               "mkdir",
                               "symlink",
                               "read_symlink",
                               "link",
                               "remove",
                               "rename",
                               "read",
                               "write",
                               "commit",
                               "get_attributes",
                               "set_attributes",
                               "allocate",
                               "deallocate",
                               "seek",
                               "clone",
                               "set_xattr",
                               "get_xattr",
                               "remove_xattr",
                               "list_xattrs",
                               "hold",
                               "release",
                               "reap",
                               "flush",
                               "tick",
                               "restart",
                               "crash"};
static_assert(kNames.size() == static_cast<std::size_t>(OpKind::crash) + 1);

constexpr std::size_t kShown = 60;

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20 || u > 0x7e) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", u);
      out += hex;
    } else {
      out += c;
    }
  }
  return out + (text.size() > kShown ? "'+" + std::to_string(text.size() - kShown) : "'");
}

class Line {
 public:
  explicit Line(std::string head) : x_text(std::move(head)) {}
  Line& text(std::string_view label, std::string_view value) {
    if (!value.empty()) {
      x_text.append(" ").append(label).append("=").append(quoted(value));
    }
    return *this;
  }
  template <class T>
  Line& number(std::string_view label, T value) {
    if (value != T{}) {
      x_text.append(" ").append(label).append("=").append(std::to_string(value));
    }
    return *this;
  }
  template <class T>
  Line& maybe(std::string_view label, const std::optional<T>& value) {
    if (value) {
      x_text.append(" ").append(label).append("=").append(std::to_string(*value));
    }
    return *this;
  }
  std::string take() { return std::move(x_text); }

 private:
  std::string x_text;
};

void add_attributes(Line& line, const ns::FileAttributes& a) {
  line.number("ino", a.id.ino).number("links", a.links).number("size", a.size);
  line.number("change", a.change).number("mtime", a.mtime_ns / 1'000'000'000);
}

struct ShowValue {
  Line& line;
  void operator()(std::monostate) const {}
  void operator()(bool v) const { line.number("is", static_cast<int>(v)); }
  void operator()(std::uint64_t v) const { line.number("is", v); }
  void operator()(const std::string& v) const { line.text("is", v); }
  void operator()(const std::vector<std::string>& v) const { line.number("names", v.size()); }
  void operator()(const ns::ObjectInfo& v) const {
    line.number("ino", v.ino).number("size", v.size).text("etag", v.etag);
  }
  void operator()(const ReadObject& v) const { (*this)(v.info); }
  void operator()(const ns::ListPage& v) const {
    line.number("entries", v.entries.size()).number("truncated", static_cast<int>(v.truncated));
  }
  void operator()(const ns::UploadInfo& v) const { line.text("upload", v.upload_id); }
  void operator()(const ns::PartInfo& v) const { line.text("etag", v.etag); }
  void operator()(const ns::FileAttributes& v) const { add_attributes(line, v); }
  void operator()(const ns::DirectoryPage& v) const {
    line.number("entries", v.entries.size()).number("eof", static_cast<int>(v.eof));
  }
  void operator()(const ns::Created& v) const {
    add_attributes(line, v.attributes);
    line.number("made", static_cast<int>(v.made)).number("parent", v.parent.after);
  }
  void operator()(const ns::Removed& v) const {
    line.number("ino", v.id.ino).number("parent", v.parent.after);
  }
  void operator()(const ns::Renamed& v) const {
    line.number("from", v.from.after).number("to", v.to.after);
  }
  void operator()(const ns::ReadResult& v) const { line.number("bytes", v.bytes); }
  void operator()(const ns::WriteResult& v) const { add_attributes(line, v.attributes); }
  void operator()(const ns::SeekResult& v) const { line.number("at", v.offset); }
};

}  // namespace

std::string hex_md5(std::string_view data) {
  return digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(data))));
}

std::string describe(const Op& op) {
  Line line(kNames[static_cast<std::size_t>(op.kind)]);
  line.number("ino", op.file.ino).number("other", op.other.ino);
  line.text("key", op.key).text("key2", op.key2).text("name", op.name).text("name2", op.name2);
  line.number("bytes", op.data.size()).number("offset", op.offset).number("offset2", op.offset2);
  line.number("length", op.length).number("number", op.number).number("slot", op.slot);
  line.number("flag", static_cast<int>(op.flag)).number("how", static_cast<int>(op.how));
  line.number("create", static_cast<int>(op.create.how)).number("mode", static_cast<int>(op.mode));
  line.maybe("size", op.set.size).maybe("create-size", op.create.attributes.size);
  line.maybe("set-mode", op.set.mode).maybe("set-uid", op.set.uid);
  line.maybe("set-mtime", op.set.mtime_ns).maybe("guard", op.guard);
  line.text("if-match", op.conditions.if_match.value_or(""));
  line.text("if-none-match", op.conditions.if_none_match.value_or(""));
  line.text("prefix", op.list.prefix).text("delimiter", op.list.delimiter);
  line.text("after", op.list.start_after).text("upload", op.upload);
  return line.take();
}

std::string describe(const Answer& answer) {
  if (answer.error) {
    return std::string(to_string(*answer.error)) + " " + answer.detail;
  }
  Line line("ok");
  std::visit(ShowValue{line}, answer.value);
  return line.take();
}

}  // namespace outcrop::test
