// DELETE of one version of a key.
#pragma once
#include "storage/ns/core.h"

namespace outcrop::ns {

/// In a bucket with versions: the version or delete marker goes for good, in one transaction with
/// what that makes of the key (the newest version that is left becomes current) and of the
/// directories that are left empty. Conditions are about the version.
Task<Deletion> remove_one_version(Core& core,
                                  std::string_view bucket,
                                  std::string_view key,
                                  VersionId id,
                                  const Conditions& conditions);

}  // namespace outcrop::ns
