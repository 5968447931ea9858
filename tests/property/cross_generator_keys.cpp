#include <algorithm>

#include "storage/ns/keys.h"
#include "tests/property/cross_generator.h"

namespace outcrop::test {
namespace {

constexpr std::size_t kUploads = 12;
constexpr unsigned kSlots = 8;

}  // namespace

std::string CrossGenerator::component() {
  static const std::vector<std::string> kParts = {"",
                                                  ".",
                                                  "..",
                                                  "a",
                                                  "a",
                                                  "a",
                                                  "b",
                                                  "b",
                                                  "c",
                                                  "a-b",
                                                  "a.txt",
                                                  "a0",
                                                  "\x01",
                                                  "\xff",
                                                  "dir",
                                                  "~",
                                                  "\xc3\xbc",
                                                  "%2F",
                                                  ".s3~a",
                                                  std::string("\0", 1),
                                                  std::string(100, 'l'),
                                                  std::string(256, 'L'),
                                                  std::string(256, 'L') + "M"};
  // The long ones are rare: keys end at 1024 bytes.
  return kParts[pick(pick(4) == 0 ? kParts.size() : kParts.size() - 3)];
}

std::string CrossGenerator::fresh_key() {
  std::string key;
  while (key.empty() || key.size() > 700) {
    key.clear();
    for (std::uint64_t depth = pick(4); depth > 0; --depth) {
      key += component() + "/";
    }
    key += component();
  }
  return key;
}

std::string CrossGenerator::some_key() {
  const auto keys = x_model->keys();
  return keys.empty() || pick(5) < 2 ? fresh_key() : keys[pick(keys.size())];
}

// "x/y/"
std::string CrossGenerator::some_prefix() {
  std::vector<std::string> all;
  for (const auto& [id, node] : x_model->nodes()) {
    if (node.directory() && id != x_model->root()) {
      all.push_back(x_model->path_of(id));
    }
  }
  if (!all.empty() && pick(4) != 0) {
    return all[pick(all.size())];
  }
  return std::string(ns::split_key(fresh_key()).directory) + component() + "/";
}

std::string CrossGenerator::some_data() {
  static const std::size_t kSizes[] = {0, 1, 40, 60, 500, 2048, 2049, 5000, 60'000};
  std::string data(kSizes[pick(pick(6) == 0 ? 9 : 6)], '\0');
  const auto salt = static_cast<char>(x_random());
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = static_cast<char>(salt + (i >> 4) + i * 7);
  }
  return data;
}

ns::Conditions CrossGenerator::some_conditions(const std::string& key) {
  ns::Conditions out;
  if (pick(5) != 0) {
    return out;
  }
  const Node* object = x_model->object(key);
  const bool sure =
      object &&
      (object->etag_state == EtagState::known || object->etag_state == EtagState::fresh) &&
      !x_pairing;
  const std::string etag = sure && pick(3) != 0 ? object->etag : "other";
  switch (etag.empty() ? 2 * pick(2) : pick(4)) {
    case 0:
      out.if_match = "*";
      break;
    case 1:
      out.if_match = etag;
      break;
    case 2:
      out.if_none_match = "*";
      break;
    default:
      out.if_none_match = etag;
      break;
  }
  return out;
}

ns::ObjectAttributes CrossGenerator::some_attributes() {
  ns::ObjectAttributes out;
  out.content_type = pick(4) == 0 ? "" : "t" + std::to_string(pick(5));
  if (pick(3) == 0) {
    out.user_meta = {{"k", std::string(pick(300), 'm')}};
    out.headers = {{"cache-control", "no-store"}};
  }
  return out;
}

bool CrossGenerator::draw_key(Op& op) {
  op.key = some_key();
  switch (op.kind) {
    case OpKind::put:
      op.data = some_data();
      op.etag = hex_md5(op.data);
      op.length = pick(2) == 0 ? op.data.size() : pick(100'000);  // what was said to come
      op.attributes = some_attributes();
      if (pick(3) == 0) {
        op.checksum = {.algorithm = digest::Algorithm::crc32, .value = "abcd"};
      }
      op.conditions = some_conditions(op.key);
      return true;
    case OpKind::get:
      op.offset = pick(3) == 0 ? pick(3000) : 0;
      op.length = pick(3) == 0 ? pick(3000) : UINT64_MAX;
      return true;
    case OpKind::copy:
      op.key2 = pick(4) == 0 ? op.key : some_key();
      op.source_conditions = some_conditions(op.key);
      op.conditions = some_conditions(op.key2);
      if (pick(2) == 0) {
        op.replace = some_attributes();
      }
      return true;
    case OpKind::remove_key:
      op.conditions = some_conditions(op.key);
      return true;
    case OpKind::rename_key:
      return draw_rename_key(op);
    case OpKind::list:
      return draw_list(op);
    case OpKind::open_reader:
      op.slot = static_cast<unsigned>(pick(kSlots));
      return !x_model->has_reader(op.slot);
    case OpKind::check_reader:
      op.key.clear();
      op.slot = static_cast<unsigned>(pick(kSlots));
      return x_model->has_reader(op.slot);
    default:
      return true;
  }
}

bool CrossGenerator::draw_rename_key(Op& op) {
  if (pick(2) == 0) {
    op.key = some_prefix();
    op.key2 = some_prefix();
    // Trees that are not too deep, and keys that S3 can name.
    return std::ranges::count(op.key2, '/') < 6 && op.key.size() < 700 && op.key2.size() < 700;
  }
  op.key2 = pick(10) == 0 ? op.key : some_key();
  return pick(20) == 0 || op.key.ends_with('/') == op.key2.ends_with('/');
}

bool CrossGenerator::draw_list(Op& op) {
  static const std::vector<std::string> kDelimiters = {"", "", "/", "/", "/", "a", "/a", "-"};
  const std::string other = some_key();
  op.list.prefix = pick(2) == 0 ? "" : op.key.substr(0, pick(op.key.size() + 1));
  op.list.delimiter = kDelimiters[pick(kDelimiters.size())];
  op.list.start_after = pick(2) == 0 ? "" : other.substr(0, pick(other.size() + 1));
  op.list.max_keys = pick(3) == 0 ? 1000 : pick(20);
  op.key.clear();
  // Below a common prefix there may be only paths that are too long for keys.
  if (x_model->paths().size() != x_model->keys().size()) {
    op.list.delimiter.clear();
  }
  return true;
}

bool CrossGenerator::draw_upload(Op& op) {
  for (const auto& [name, upload] : x_model->uploads()) {
    if (std::ranges::find(x_uploads, name, &std::pair<std::string, std::string>::first) ==
        x_uploads.end()) {
      x_uploads.emplace_back(name, upload.key);
    }
  }
  op.key = some_key();
  if (op.kind == OpKind::create_upload) {
    op.attributes = some_attributes();
    return x_model->uploads().size() < kUploads;
  }
  if (x_uploads.empty()) {
    return false;
  }
  const std::size_t recent = std::min<std::size_t>(x_uploads.size(), pick(5) == 0 ? 100 : kUploads);
  std::tie(op.upload, op.key) = x_uploads[x_uploads.size() - 1 - pick(recent)];
  if (op.kind == OpKind::complete) {
    return draw_complete(op);
  }
  op.number = static_cast<std::uint32_t>(1 + pick(4));
  if (op.kind == OpKind::put_part) {
    op.data = some_data();
    op.etag = hex_md5(op.data);
  } else if (op.kind == OpKind::copy_part) {
    op.key2 = some_key();
    op.offset = pick(3) == 0 ? pick(3000) : 0;
    op.length = pick(3) == 0 ? 50 + pick(3000) : UINT64_MAX;
  } else {
    op.number = 0;
    return pick(4) == 0;  // abort
  }
  return true;
}

bool CrossGenerator::draw_complete(Op& op) {
  op.conditions = some_conditions(op.key);
  const auto there = x_model->uploads().find(op.upload);
  if (there == x_model->uploads().end()) {
    return true;
  }
  for (const auto& [number, part] : there->second.parts) {
    if (pick(8) != 0) {
      op.parts.push_back({number, pick(30) == 0 ? "wrong" : part.etag, {}});
    }
  }
  if (op.parts.size() > 1 && pick(20) == 0) {
    std::swap(op.parts.front(), op.parts.back());
  }
  return true;
}

}  // namespace outcrop::test
