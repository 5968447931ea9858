// What RecentNames knows, kept in the store, so that a reader who is in the middle of a directory
// goes on behind an entry that was removed also after a restart of the server, and after more
// removals than memory holds. Records lie by the period in which they were made; whole periods are
// forgotten.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "storage/ns/core.h"

namespace outcrop::ns {

/// A record is found at least as long as this, and less than twice as long.
inline constexpr std::int64_t kLeftPeriodNs = RecentNames::kWatchNs;

/// With the transaction that takes the entry from this position.
void put_left_name(
    Core& core, meta::Batch& batch, InodeId directory, std::uint64_t cookie, std::string_view name);
Task<std::optional<std::string>> find_left_name(Core& core,
                                                InodeId directory,
                                                std::uint64_t cookie);
/// Removes some of what is too old; from time to time.
Task<> expire_left_names(Core& core);

/// At start: if clients have ever read directories of this store, some may be in the middle of one.
Task<> resume_readers(Core& core);
/// Before the first page of this run is given out: the next start has to know.
Task<> remember_readers(Core& core);

}  // namespace outcrop::ns
