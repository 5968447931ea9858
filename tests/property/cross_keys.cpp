// The S3 half of the cross-protocol model.
#include <algorithm>

#include "storage/ns/keys.h"
#include "tests/property/cross_model.h"

namespace outcrop::test {

const Node* CrossModel::object(const std::string& key) const {
  const auto [path, name] = ns::split_key(key);
  const NodeId dir = key.size() > ns::kMaxKeyBytes ? 0 : find_directory(path);
  const NodeId id = dir == 0 ? 0 : entry(dir, std::string(name));
  return id != 0 && node(id).regular() ? &node(id) : nullptr;
}

Node* CrossModel::object(const std::string& key) {
  return const_cast<Node*>(std::as_const(*this).object(key));
}

CrossModel::Expected CrossModel::check(const ns::Conditions& conditions, const Node* node) {
  ModelObject object;
  if (node) {
    // One that nobody has seen is none that a client can name.
    object.etag = node->etag_state == EtagState::fresh ? "new" : node->etag;
  }
  return NamespaceModel::check(conditions, node ? &object : nullptr);
}

// A new file without content in the place of what is at the key.
NodeId CrossModel::install(const std::string& key, const Answer& answer) {
  const auto [path, name] = ns::split_key(key);
  const NodeId dir = install_directories(path, true, answer);
  unlink(dir, std::string(name));
  const NodeId id = add(ns::FileType::regular, answer);
  enter(dir, std::string(name), id);
  return id;
}

void CrossModel::judge_key(const Op& op, const Answer& answer) {
  switch (op.kind) {
    case OpKind::put:
      return put(op, answer);
    case OpKind::get:
    case OpKind::stat:
    case OpKind::open_reader:
      return get(op, answer);
    case OpKind::remove_key:
      return remove_key(op, answer);
    case OpKind::copy:
      return copy(op, answer);
    case OpKind::rename_key:
      return op.key.ends_with('/') && op.key2.ends_with('/') ? rename_prefix(op, answer)
                                                             : rename_object(op, answer);
    case OpKind::list:
      return list(op, answer);
    default: {
      if (outcome(answer, {})) {
        const Reader& reader = x_readers.at(op.slot);
        const auto& read = answer.as<ReadObject>();
        same("pinned ETag", read.info.etag, reader.etag);
        see_data("pinned object", read.data, *reader.content);
      }
      x_readers.erase(op.slot);
    }
  }
}

void CrossModel::put(const Op& op, const Answer& answer) {
  if (!outcome(answer, check(op.conditions, object(op.key)))) {
    return;
  }
  const NodeId id = install(op.key, answer);
  Node& node = at(id);
  node.content = std::make_shared<const std::string>(op.data);
  node.etag = op.etag;
  node.attributes = op.attributes;
  node.checksum = op.checksum;
  settle(node);
  see_info(id, answer.as<ns::ObjectInfo>());
}

void CrossModel::get(const Op& op, const Answer& answer) {
  Node* node = object(op.key);
  if (!outcome(answer, node ? Expected{} : Errc::no_such_key)) {
    return;
  }
  const auto [path, name] = ns::split_key(op.key);
  const NodeId id = entry(find_directory(path), std::string(name));
  settle(*node);  // S3 shows only what is stored
  if (op.kind == OpKind::get) {
    const auto& read = answer.as<ReadObject>();
    see_info(id, read.info);
    const std::size_t from = std::min<std::size_t>(op.offset, node->content->size());
    see_data("object", read.data, std::string_view(*node->content).substr(from, op.length));
    return;
  }
  see_info(id, answer.as<ns::ObjectInfo>());
  if (op.kind == OpKind::open_reader) {
    x_readers[op.slot] = {node->content, answer.as<ns::ObjectInfo>().etag};
  }
}

void CrossModel::remove_key(const Op& op, const Answer& answer) {
  Node* node = object(op.key);
  if (!outcome(answer, check(op.conditions, node))) {
    return;
  }
  same("existed", answer.as<bool>(), node != nullptr);
  if (node) {
    const auto [path, name] = ns::split_key(op.key);
    const NodeId dir = find_directory(path);
    unlink(dir, std::string(name));
    prune(dir, answer);
  }
}

// What metadata of the source says of a file goes with it, if the source has any: then its mtime,
// too, and else the copy is modified when it is made.
void CrossModel::take_file_fields(Node& node, const Node& source, TimeRange now) {
  node.mode = source.mode & 0777;
  node.uid = source.uid;
  node.gid = source.gid;
  node.mtime = {std::min(source.mtime.from, now.from), now.to};
  node.modified = now;
}

void CrossModel::copy(const Op& op, const Answer& answer) {
  Node* source = object(op.key);
  Expected expected = source ? check(op.source_conditions, source) : Errc::no_such_key;
  if (!expected) {
    expected = check(op.conditions, object(op.key2));
  }
  if (!outcome(answer, expected)) {
    return;
  }
  const auto& info = answer.as<ns::ObjectInfo>();
  settle(*source);
  if (!x_relaxed) {
    see_etag(*source, info.etag);
  }
  if (op.key == op.key2) {
    source->attributes = op.replace.value_or(source->attributes);
    const TimeRange now{answer.from_ns, answer.to_ns};
    const std::uint32_t mode = source->mode;
    op.replace ? set_mtime(*source, now) : take_file_fields(*source, *source, now);
    source->mode = mode;
    forget_upload(*source);
    changed(*source);
    return see_info(id_of(source->ino), info);
  }
  const Node copied = *source;
  const NodeId id = install(op.key2, answer);
  Node& node = at(id);
  node.content = copied.content;
  node.etag = info.etag;
  node.attributes = op.replace.value_or(copied.attributes);
  if (!op.replace) {
    take_file_fields(node, copied, {answer.from_ns, answer.to_ns});
  }
  node.checksum = copied.checksum;
  node.parts = copied.parts;
  node.revived = copied.revived;
  settle(node);
  see_info(id, info);
}

void CrossModel::rename_object(const Op& op, const Answer& answer) {
  if (op.key.ends_with('/') != op.key2.ends_with('/')) {
    outcome(answer, Errc::invalid_argument);
    return;
  }
  if (!outcome(answer, object(op.key) ? Expected{} : Errc::no_such_key) || op.key == op.key2) {
    return;
  }
  const auto [from_path, from_name] = ns::split_key(op.key);
  const auto [to_path, to_name] = ns::split_key(op.key2);
  const NodeId from = find_directory(from_path);
  const NodeId id = entry(from, std::string(from_name));
  const NodeId there = find_directory(to_path);
  if (there != 0 && entry(there, std::string(to_name)) == id) {
    unlink(from, std::string(from_name));  // two names of one file
    return prune(from, answer);
  }
  const NodeId to = install_directories(to_path, true, answer);
  unlink(to, std::string(to_name));
  at(from).entries.erase(std::string(from_name));
  enter(to, std::string(to_name), id);
  forget_upload(at(id));
  changed(at(id));
  prune(from, answer);
}

void CrossModel::rename_prefix(const Op& op, const Answer& answer) {
  const std::string from_path(ns::parent_path(op.key)), to_path(ns::parent_path(op.key2));
  const std::string from_name(ns::last_component(op.key)), to_name(ns::last_component(op.key2));
  const NodeId from = find_directory(from_path);
  const NodeId id = from == 0 ? 0 : entry(from, from_name);
  Expected expected;
  if (op.key2.starts_with(op.key) && op.key2 != op.key) {
    expected = Errc::invalid_argument;
  } else if (id == 0) {
    expected = Errc::no_such_key;
  } else if (op.key2 != op.key && find_directory(op.key2) != 0) {
    expected = Errc::already_exists;
  }
  if (!outcome(answer, expected) || op.key == op.key2) {
    return;
  }
  const NodeId to = install_directories(to_path, at(id).implicit, answer);
  at(from).entries.erase(from_name);
  enter(to, to_name, id);
  changed(at(id));
  prune(from, answer);
}

void CrossModel::list(const Op& op, const Answer& answer) {
  if (!outcome(answer, {})) {
    return;
  }
  const auto& page = answer.as<ns::ListPage>();
  const ModelPage expected = list_model(keys(), op.list);
  same("truncated", page.truncated, expected.truncated);
  same("count of entries", page.entries.size(), expected.entries.size());
  for (std::size_t i = 0; i < std::min(page.entries.size(), expected.entries.size()); ++i) {
    const ns::ListEntry& entry = page.entries[i];
    same("key", entry.key, expected.entries[i].first);
    same("is a prefix", entry.is_prefix, expected.entries[i].second);
    Node* node = object(entry.key);
    if (entry.is_prefix || !node || entry.key != expected.entries[i].first) {
      continue;
    }
    same("listed size of " + entry.key, entry.size, node->content->size());
    see_modified(*node, entry.mtime_ns);
    see_etag(*node, entry.etag);
    same("listed checksum", node->revived || entry.checksum_algorithm == node->checksum.algorithm,
         true);
  }
}

void CrossModel::judge_upload(const Op& op, const Answer& answer) {
  if (op.kind == OpKind::create_upload) {
    if (outcome(answer, {})) {
      x_uploads[answer.as<ns::UploadInfo>().upload_id] = {
          .key = op.key, .attributes = op.attributes, .parts = {}};
    }
  } else if (op.kind == OpKind::complete) {
    complete(op, answer);
  } else if (op.kind == OpKind::abort) {
    outcome(answer, x_uploads.erase(op.upload) > 0 ? Expected{} : Errc::no_such_upload);
  } else {
    part(op, answer);
  }
}

void CrossModel::part(const Op& op, const Answer& answer) {
  Node* source = op.kind == OpKind::copy_part ? object(op.key2) : nullptr;
  Expected expected;
  if (op.kind == OpKind::copy_part && !source) {
    expected = Errc::no_such_key;
  } else if (!x_uploads.contains(op.upload)) {
    expected = Errc::no_such_upload;
  }
  if (source) {
    settle(*source);
  }
  if (!outcome(answer, expected)) {
    return;
  }
  ModelPart part{.data = op.data, .etag = answer.as<ns::PartInfo>().etag};
  if (source) {
    const std::size_t from = std::min<std::size_t>(op.offset, source->content->size());
    part.data = source->content->substr(from, op.length);
  }
  x_uploads.at(op.upload).parts[op.number] = std::move(part);
}

void CrossModel::complete(const Op& op, const Answer& answer) {
  const auto upload = x_uploads.find(op.upload);
  Node* there = object(op.key);
  if (upload == x_uploads.end()) {
    bool repeated = there && !op.upload.empty() && there->upload == op.upload;
    if (there && !op.upload.empty() && there->old_upload == op.upload) {
      x_other_error = Errc::no_such_upload;
      repeated = true;
    }
    if (outcome(answer, repeated ? Expected{} : Errc::no_such_upload)) {
      see_info(id_of(there->ino), answer.as<ns::ObjectInfo>());
    }
    return;
  }
  const ns::CompleteRequest request{
      .parts = op.parts, .conditions = {}, .object_size = {}, .checksum = {}};
  Expected expected = NamespaceModel::check_order(request);
  if (!expected) {
    expected = check(op.conditions, there);
  }
  auto made =
      NamespaceModel::assemble(upload->second, op.upload, request, x_settings.min_part_bytes);
  if (!expected && !made) {
    expected = made.error();
  }
  if (!outcome(answer, expected)) {
    return;
  }
  const NodeId id = install(op.key, answer);
  Node& node = at(id);
  node.content = std::make_shared<const std::string>(std::move(made->data));
  node.etag = made->etag;
  node.attributes = made->attributes;
  node.parts = made->parts;
  node.upload = op.upload;
  settle(node);
  x_uploads.erase(upload);
  see_info(id, answer.as<ns::ObjectInfo>());
}

}  // namespace outcrop::test
