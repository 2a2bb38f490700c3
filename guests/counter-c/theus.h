/* The host's world `theus:process`, as the canonical ABI passes it, for guests in C without a C library. */
#ifndef THEUS_H
#define THEUS_H

#include <stddef.h>
#include <stdint.h>

#define THEUS_IMPORT(interface, name) \
    __attribute__((import_module("theus:process/" interface "@0.1.0"), import_name(name)))
#define THEUS_EXPORT(name) __attribute__((export_name(name)))

/* Lists and strings are an address and a length. */
typedef struct {
    uint8_t *at;
    size_t len;
} theus_bytes;

/* option<list<u8>>: `bytes` counts where `some` is 1. */
typedef struct {
    uint8_t some;
    theus_bytes bytes;
} theus_option_bytes;

/* option<u64> */
typedef struct {
    uint8_t some;
    uint64_t value;
} theus_option_u64;

/* result<list<u8>, failure>: what `run` returns. */
typedef struct {
    uint8_t failed;
    union {
        theus_bytes value;
        struct {
            theus_bytes code;
            theus_bytes message;
        } failure;
    };
} theus_result;

/* interface context: values are MessagePack. A call outside the contract ends the run, so none of them has an error. */
THEUS_IMPORT("context", "get")
void theus_get(const char *path, size_t path_len, theus_option_bytes *found);
THEUS_IMPORT("context", "set")
void theus_set(const char *path, size_t path_len, const uint8_t *value, size_t value_len);
THEUS_IMPORT("context", "remove")
int32_t theus_remove(const char *path, size_t path_len);
THEUS_IMPORT("context", "push")
uint64_t theus_push(const char *path, size_t path_len, const uint8_t *value, size_t value_len);
THEUS_IMPORT("context", "len")
void theus_len(const char *path, size_t path_len, theus_option_u64 *found);

/* interface log */
enum theus_level { THEUS_TRACE, THEUS_DEBUG, THEUS_INFO, THEUS_WARN, THEUS_ERROR };
THEUS_IMPORT("log", "write")
void theus_log(int32_t level, const char *message, size_t message_len);
THEUS_IMPORT("log", "abort")
void theus_abort(const char *message, size_t message_len, const char *file, size_t file_len, uint32_t line,
                 uint32_t column);

/* interface outbox */
THEUS_IMPORT("outbox", "send")
void theus_send(const char *topic, size_t topic_len, const uint8_t *payload, size_t payload_len);

/* interface processes: what a guest defines. `args` is a MessagePack map. */
THEUS_EXPORT("theus:process/processes@0.1.0#run")
theus_result *theus_run(const uint8_t *process, size_t process_len, const uint8_t *args, size_t args_len);

#endif
