// The user metadata by which AWS's file services (FSx for Lustre, Storage Gateway, DataSync) keep
// what a file system knows of a file: x-amz-meta-file-permissions (octal, with or without the file
// type of stat(2): "0100644", "0644"), -file-owner and -file-group (decimal ids) and -file-mtime
// (nanoseconds since 1970 ending in "ns", else milliseconds). What is none of these forms is plain
// user metadata. Pure functions.
#pragma once
#include "api/http/message.h"
#include "storage/ns/types.h"

namespace outcrop::s3 {

/// Set-id and sticky bits are not taken over, nor the permissions of what is no regular file.
ns::FileFields file_fields_of(const ns::StringPairs& user_meta);

/// The user metadata headers of an object: as stored, but for fields that a file client has changed
/// since, or that it made: those as they are now. Not `as_file`: all as stored.
void add_user_metadata(const ns::ObjectInfo& info, bool as_file, http::Response& response);

}  // namespace outcrop::s3
