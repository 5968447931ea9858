#include "tests/property/namespace_model.h"

#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::test {

using Outcome = NamespaceModel::Outcome;

const ModelObject* NamespaceModel::find(const std::string& key) const {
  const auto it = objects.find(key);
  return it == objects.end() ? nullptr : &it->second;
}

std::vector<std::string> NamespaceModel::keys() const {
  std::vector<std::string> out;
  for (const auto& [key, object] : objects) {
    out.push_back(key);
  }
  return out;
}

// The model test only asks for "*" and for single ETags.
Outcome NamespaceModel::check(const ns::Conditions& conditions, const ModelObject* object) {
  if (conditions.if_match) {
    if (!object) {
      return Errc::no_such_key;
    }
    if (*conditions.if_match != "*" && *conditions.if_match != object->etag) {
      return Errc::precondition_failed;
    }
  }
  if (conditions.if_none_match && object &&
      (*conditions.if_none_match == "*" || *conditions.if_none_match == object->etag)) {
    return Errc::precondition_failed;
  }
  return std::nullopt;
}

Outcome NamespaceModel::put(const std::string& key,
                            ModelObject object,
                            const ns::Conditions& conditions) {
  if (const Outcome failed = check(conditions, find(key))) {
    return failed;
  }
  objects[key] = std::move(object);
  return std::nullopt;
}

Outcome NamespaceModel::append(const std::string& key,
                               const std::string& more,
                               const ns::PutRequest& request) {
  const auto it = objects.find(key);
  if (it == objects.end() && *request.append_at != 0) {
    return Errc::range_not_satisfiable;
  }
  if (const Outcome failed = check(request.conditions, find(key))) {
    return failed;
  }
  if (it == objects.end()) {
    objects[key] = {.data = more,
                    .etag = {},
                    .attributes = request.attributes,
                    .checksum = request.checksum,
                    .parts = {},
                    .upload_id = {}};
    return std::nullopt;
  }
  ModelObject& object = it->second;
  if (*request.append_at != object.data.size()) {
    return Errc::range_not_satisfiable;
  }
  if (!object.attributes.envelope.empty()) {
    return Errc::conflict;
  }
  if (!object.parts.empty()) {
    object.parts.push_back({object.parts.back().number + 1, more.size(), {}});
  }
  if (object.checksum.algorithm != digest::Algorithm::none) {
    const std::string& whole = object.checksum.value;
    object.checksum.value =
        object.data.empty()
            ? request.checksum.value
            : digest::combine(digest::Algorithm::crc32, whole, request.checksum.value, more.size())
                  .value();
  }
  object.data += more;
  object.upload_id.clear();
  return std::nullopt;
}

Outcome NamespaceModel::remove(const std::string& key,
                               const ns::Conditions& conditions,
                               bool& existed) {
  if (const Outcome failed = check(conditions, find(key))) {
    return failed;
  }
  existed = objects.erase(key) > 0;
  return std::nullopt;
}

Outcome NamespaceModel::copy(const std::string& from,
                             const std::string& to,
                             const ns::CopyRequest& request) {
  const ModelObject* source = find(from);
  if (!source) {
    return Errc::no_such_key;
  }
  const std::string& envelope = source->attributes.envelope;
  if (request.source_envelope && *request.source_envelope != envelope) {
    return Errc::conflict;
  }
  if (request.envelope && request.envelope->empty() != envelope.empty()) {
    return Errc::invalid_argument;
  }
  if (const Outcome failed = check(request.source_conditions, source)) {
    return failed;
  }
  if (const Outcome failed = check(request.conditions, find(to))) {
    return failed;
  }
  ModelObject copied = *source;
  copied.upload_id.clear();
  if (request.replace) {
    copied.attributes = *request.replace;
    copied.attributes.tags = source->attributes.tags;
    copied.attributes.envelope = envelope;
  }
  if (request.tags) {
    copied.attributes.tags = *request.tags;
  }
  copied.attributes.acl = request.acl;
  if (request.envelope) {
    copied.attributes.envelope = *request.envelope;
  }
  objects[to] = std::move(copied);
  return std::nullopt;
}

Outcome NamespaceModel::set_tags(const std::string& key, const ns::StringPairs& tags) {
  const auto it = objects.find(key);
  if (it == objects.end()) {
    return Errc::no_such_key;
  }
  it->second.attributes.tags = tags;
  return std::nullopt;
}

bool NamespaceModel::any_below(const std::string& directory) const {
  const auto it = objects.lower_bound(directory);
  return it != objects.end() && it->first.starts_with(directory);
}

Outcome NamespaceModel::rename(const std::string& from, const std::string& to) {
  if (from.ends_with('/') != to.ends_with('/')) {
    return Errc::invalid_argument;
  }
  if (from.ends_with('/')) {
    return rename_directory(from, to);
  }
  const auto it = objects.find(from);
  if (it == objects.end()) {
    return Errc::no_such_key;
  }
  if (from != to) {
    ModelObject moved = std::move(it->second);
    objects.erase(it);
    moved.upload_id.clear();
    objects[to] = std::move(moved);
  }
  return std::nullopt;
}

Outcome NamespaceModel::rename_directory(const std::string& from, const std::string& to) {
  if (to.starts_with(from) && to != from) {
    return Errc::invalid_argument;
  }
  if (!any_below(from)) {
    return Errc::no_such_key;
  }
  if (from == to) {
    return std::nullopt;
  }
  if (any_below(to)) {
    return Errc::already_exists;
  }
  std::map<std::string, ModelObject> moved;
  for (auto it = objects.lower_bound(from); it != objects.end() && it->first.starts_with(from);) {
    moved.emplace(to + it->first.substr(from.size()), std::move(it->second));
    it = objects.erase(it);
  }
  objects.merge(moved);
  return std::nullopt;
}

std::size_t NamespaceModel::longest_after_rename(const std::string& from,
                                                 const std::string& to) const {
  std::size_t longest = 0;
  for (auto it = objects.lower_bound(from); it != objects.end() && it->first.starts_with(from);
       ++it) {
    longest = std::max(longest, it->first.size() - from.size() + to.size());
  }
  return longest;
}

Outcome NamespaceModel::check_order(const ns::CompleteRequest& request) {
  if (request.parts.empty()) {
    return Errc::invalid_argument;
  }
  for (std::size_t i = 1; i < request.parts.size(); ++i) {
    if (request.parts[i - 1].number >= request.parts[i].number) {
      return Errc::invalid_part_order;
    }
  }
  return std::nullopt;
}

std::expected<ModelObject, Errc> NamespaceModel::assemble(const ModelUpload& upload,
                                                          const std::string& id,
                                                          const ns::CompleteRequest& request,
                                                          std::uint64_t min_part_bytes) {
  ModelObject made;
  std::string md5s;
  for (const auto& wanted : request.parts) {
    const auto it = upload.parts.find(wanted.number);
    if (it == upload.parts.end() || it->second.etag != wanted.etag) {
      return std::unexpected(Errc::invalid_part);
    }
  }
  for (const auto& wanted : request.parts) {
    const ModelPart& part = upload.parts.at(wanted.number);
    if (&wanted != &request.parts.back() && part.data.size() < min_part_bytes) {
      return std::unexpected(Errc::entity_too_small);
    }
    made.data += part.data;
    made.parts.push_back({wanted.number, part.data.size(), {}});
    md5s += digest::from_hex(part.etag).value();
  }
  made.etag = digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(md5s)))) +
              "-" + std::to_string(request.parts.size());
  made.attributes = upload.attributes;
  made.upload_id = id;
  return made;
}

Outcome NamespaceModel::complete(const std::string& key,
                                 const std::string& id,
                                 const ns::CompleteRequest& request,
                                 std::uint64_t min_part_bytes) {
  const auto upload = uploads.find(id);
  if (upload == uploads.end() || upload->second.key != key) {
    const ModelObject* object = find(key);
    const bool repeated = object && !id.empty() && object->upload_id == id;
    return repeated ? std::nullopt : Outcome(Errc::no_such_upload);
  }
  if (const Outcome failed = check_order(request)) {
    return failed;
  }
  if (const Outcome failed = check(request.conditions, find(key))) {
    return failed;
  }
  auto made = assemble(upload->second, id, request, min_part_bytes);
  if (!made) {
    return made.error();
  }
  objects[key] = *std::move(made);
  uploads.erase(upload);
  return std::nullopt;
}

}  // namespace outcrop::test
