// What a namespace must answer, by brute force over ordered maps: the reference of the model test.
// It follows the contracts in storage/ns/namespace.h and knows no tree, no inode and no extent.
#pragma once
#include <expected>
#include <map>
#include <optional>
#include <string>

#include "storage/base/error.h"
#include "storage/ns/types.h"
#include "tests/support/list_model.h"

namespace outcrop::test {

struct ModelObject {
  std::string data, etag;
  ns::ObjectAttributes attributes;
  digest::Checksum checksum;
  std::vector<ns::PartSummary> parts;
  std::string upload_id;  ///< that a repeated Complete would be answered for
};

struct ModelPart {
  std::string data, etag;
};

struct ModelUpload {
  std::string key;
  ns::ObjectAttributes attributes{};
  std::map<std::uint32_t, ModelPart> parts;
};

/// One bucket. Every call gives the error that the namespace must give, or none.
class NamespaceModel {
 public:
  using Outcome = std::optional<Errc>;

  Outcome put(const std::string& key, ModelObject object, const ns::Conditions& conditions);
  /// The ETag that the object then has is the caller's to fill in.
  Outcome append(const std::string& key, const std::string& more, const ns::PutRequest& request);
  /// `existed`: what remove() must return.
  Outcome remove(const std::string& key, const ns::Conditions& conditions, bool& existed);
  Outcome copy(const std::string& from, const std::string& to, const ns::CopyRequest& request);
  Outcome set_tags(const std::string& key, const ns::StringPairs& tags);
  Outcome rename(const std::string& from, const std::string& to);
  Outcome complete(const std::string& key,
                   const std::string& id,
                   const ns::CompleteRequest& request,
                   std::uint64_t min_part_bytes);

  static Outcome check(const ns::Conditions& conditions, const ModelObject* object);
  /// What CompleteMultipartUpload says before it looks at parts and conditions.
  static Outcome check_order(const ns::CompleteRequest& request);
  /// The object that the parts make.
  static std::expected<ModelObject, Errc> assemble(const ModelUpload& upload,
                                                   const std::string& id,
                                                   const ns::CompleteRequest& request,
                                                   std::uint64_t min_part_bytes);

  const ModelObject* find(const std::string& key) const;
  std::vector<std::string> keys() const;
  /// The longest key that renaming the directory would give.
  std::size_t longest_after_rename(const std::string& from, const std::string& to) const;

  std::map<std::string, ModelObject> objects;
  std::map<std::string, ModelUpload> uploads;  ///< by id

 private:
  Outcome rename_directory(const std::string& from, const std::string& to);
  bool any_below(const std::string& directory) const;
};

}  // namespace outcrop::test
