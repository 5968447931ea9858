// The attribute types of NFSv3 (RFC 1813 sections 2.5 and 2.6): fattr3, sattr3, wcc_data. Sans-IO.
#pragma once
#include <optional>

#include "api/nfs/access.h"
#include "api/nfs/export.h"
#include "api/nfs/xdr.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs::v3 {

inline constexpr std::size_t kAttributesBytes = 84;  ///< of fattr3
inline constexpr std::size_t kPostOpBytes = 4 + kAttributesBytes;

/// Attributes as the export shows them (access.h), or none.
using Shown = std::optional<ns::FileAttributes>;

/// What a client may take as one change and nothing else: `before` only when that is known.
struct Wcc {
  Shown before, after;
};

void write_attributes(XdrWriter& out, const ns::FileAttributes& shown, const Export& on);
/// Nothing is known of a file whose handle did not open: `on` may be null then.
void write_post_op(XdrWriter& out, const Shown& shown, const Export* on);
void write_wcc(XdrWriter& out, const Wcc& wcc, const Export* on);

/// sattr3. `to_now`: a time is to be the server's, and none is given by the client.
struct AskedAttributes {
  ns::SetAttributes set;
  bool to_now = false;
};
/// Invalid nanoseconds fail the reader. Server times are `now_ns`.
AskedAttributes read_asked(XdrReader& in, std::int64_t now_ns);
/// nfstime3.
std::int64_t read_time(XdrReader& in);

/// The mode without set-id bits, which writing and truncating take away from files of others;
/// empty: nothing changes.
std::optional<std::uint32_t> mode_after_write(const Actor& actor, const ns::FileAttributes& shown);

/// What a new object in `directory` gets: the actor's ids (the directory's group if that is
/// set-gid), and of what is asked for only what the actor may give away.
ns::SetAttributes initial(const Actor& actor,
                          const ns::FileAttributes& directory,
                          ns::FileType type,
                          ns::SetAttributes asked);

}  // namespace outcrop::nfs::v3
