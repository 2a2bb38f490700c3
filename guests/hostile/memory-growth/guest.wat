;; Takes memory until there is none. The limit ends the run: the guest does not get to see a growth that fails.
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (loop $on
    (drop (memory.grow (i32.const 1)))
    (br $on))
  unreachable)
