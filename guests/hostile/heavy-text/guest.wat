;; Writes one text of 50 MB, of letters that take three bytes each, again and again. It costs fuel by its length, and what could
;; not be taken over before the deadline is not begun: whichever is reached first ends it.
(data (i32.const 0) "domain.data.heavy_x")
(data (i32.const 32) "\db\03\00\00\00" "\e6\97\a5")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (local $len i32)
  (drop (memory.grow (i32.const 770)))
  (memory.copy (i32.const 65536) (i32.const 32) (i32.const 8))
  ;; The letter behind the text's head, doubled until there are 2^24 of them.
  (local.set $len (i32.const 3))
  (loop $double
    (memory.copy (i32.add (i32.const 65541) (local.get $len)) (i32.const 65541) (local.get $len))
    (local.set $len (i32.shl (local.get $len) (i32.const 1)))
    (br_if $double (i32.lt_u (local.get $len) (i32.const 50331648))))
  (loop $on
    (call $set (i32.const 0) (i32.const 19) (i32.const 65536) (i32.const 50331653))
    (br $on))
  unreachable)
