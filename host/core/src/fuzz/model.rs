//! The context as plain `BTreeMap`s and `Vec`s, and what each host call must do to it.
//!
//! Written from the interface's own words, apart from the code that it judges: paths are walked, zones are read off keys
//! again, nothing is shared, and every limit is counted anew. Values are decoded by the host's codec, which has an oracle
//! of its own.

mod node;

use self::node::{Node, Sight, element, is_reserved, prefix};
use super::calls::{Answer, HostCall};
use crate::code::Code;
use crate::codec::{self, Bounds};
use crate::context_guard::{Mode, Usage};
use crate::limits::{Limit, Limits};
use crate::path::{Layer, Path, Segment};
use crate::refusal::Refusal;
use crate::tree::Tree;
use crate::value::{Map, Value};

/// The context, what was granted, and what was used.
#[derive(Clone, Debug)]
pub(super) struct Model {
    layers: [Node; 2],
    inputs: Vec<Path>,
    outputs: Vec<Path>,
    limits: Limits,
    mode: Mode,
    pub(super) usage: Usage,
    pub(super) signals: Vec<(Path, Value)>,
    pub(super) messages: Vec<(String, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Set,
    Push,
    Remove,
}

impl Model {
    pub(super) fn new(
        tree: &Tree,
        inputs: &[Path],
        outputs: &[Path],
        limits: Limits,
        mode: Mode,
    ) -> Self {
        Self {
            layers: Layer::ALL.map(|layer| Node::of(tree.layer(layer))),
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
            limits,
            mode,
            usage: Usage::default(),
            signals: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// The context as the host holds it.
    pub(super) fn tree(&self) -> Tree {
        let [global, domain] = self.layers.each_ref().map(|layer| match layer.value() {
            Value::Map(map) => map,
            _ => Map::new(),
        });
        Tree::new(global, domain)
    }

    /// What the host must answer, or the code of its refusal. A refused call changes nothing.
    pub(super) fn play(&mut self, call: &HostCall) -> Result<Answer, Code> {
        match call {
            HostCall::Get { path } => self.get(path),
            HostCall::Len { path } => self.len(path),
            HostCall::Keys { path, after, limit } => self.keys(path, after.as_deref(), *limit),
            HostCall::ReadBytes { path, offset, len } => self.read_bytes(path, *offset, *len),
            HostCall::Set { path, value } => self.set(path, value),
            HostCall::Push { path, value } => self.push(path, value),
            HostCall::Remove { path } => self.remove(path),
            HostCall::Send { topic, payload } => self.send(topic, payload),
        }
    }

    fn get(&mut self, text: &str) -> Result<Answer, Code> {
        let (path, sight) = self.read(text)?;
        let Some(node) = self.at(&path) else {
            return Ok(Answer::Value(None));
        };
        let seen = node.seen(sight);
        let size = seen.encoded_len();
        within(size, self.value_limit(&path), Limit::ValueBytes)?;
        let value = seen.value();
        self.hand_out(size)?;
        Ok(Answer::Value(Some(codec::encode_all(&value))))
    }

    fn len(&mut self, text: &str) -> Result<Answer, Code> {
        let (path, sight) = self.read(text)?;
        let len = match self.at(&path) {
            None => return Ok(Answer::Len(None)),
            Some(Node::List(list)) => list.len(),
            Some(Node::Map(map)) => map.keys().filter(|key| !sight.hides(key)).count(),
            Some(Node::Leaf(Value::Str(text))) => text.len(),
            Some(Node::Leaf(Value::Bytes(bytes))) => bytes.len(),
            Some(Node::Leaf(_)) => return Err(Code::ShapeMismatch),
        };
        Ok(Answer::Len(Some(len as u64)))
    }

    fn keys(&mut self, text: &str, after: Option<&str>, limit: u32) -> Result<Answer, Code> {
        let (path, sight) = self.read(text)?;
        let keys: Vec<String> = match self.at(&path) {
            None => return Ok(Answer::Keys(Vec::new())),
            Some(Node::Map(map)) => map
                .keys()
                .filter(|key| !sight.hides(key) && after.is_none_or(|after| key.as_str() > after))
                .take(limit as usize)
                .cloned()
                .collect(),
            Some(_) => return Err(Code::ShapeMismatch),
        };
        let size = keys.iter().map(|key| key.len() as u64 + 8).sum();
        within(size, self.limits.value_bytes, Limit::ValueBytes)?;
        self.hand_out(size)?;
        Ok(Answer::Keys(keys))
    }

    fn read_bytes(&mut self, text: &str, offset: u64, len: u32) -> Result<Answer, Code> {
        let (path, _) = self.read(text)?;
        let bytes = match self.at(&path) {
            Some(Node::Leaf(Value::Str(text))) => text.as_bytes(),
            Some(Node::Leaf(Value::Bytes(bytes))) => &bytes[..],
            _ => return Err(Code::ShapeMismatch),
        };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let piece: Vec<u8> = bytes
            .iter()
            .skip(offset)
            .take(len as usize)
            .copied()
            .collect();
        within(
            piece.len() as u64,
            self.limits.value_bytes,
            Limit::ValueBytes,
        )?;
        self.hand_out(piece.len() as u64)?;
        Ok(Answer::Piece(piece))
    }

    fn set(&mut self, text: &str, bytes: &[u8]) -> Result<Answer, Code> {
        let path = self.write(text, Write::Set)?;
        let value = self.accept(&path, 0, bytes)?;
        let node = Node::of(&value);
        match path.segments().split_last() {
            None => match node {
                Node::Map(_) => self.layers[path.layer() as usize] = node,
                _ => return Err(Code::ShapeMismatch),
            },
            Some((last, above)) => match (self.layer_at_mut(path.layer(), above), last) {
                (Some(Node::Map(map)), Segment::Key(key)) => {
                    map.insert(key.to_string(), node);
                }
                (Some(Node::List(list)), Segment::Index(index)) => {
                    *element(list, *index).ok_or(Code::ShapeMismatch)? = node;
                }
                _ => return Err(Code::ShapeMismatch),
            },
        }
        if zone(path.segments()) == Some("sig") {
            self.signals.push((path, value));
        }
        Ok(Answer::Done)
    }

    fn push(&mut self, text: &str, bytes: &[u8]) -> Result<Answer, Code> {
        let path = self.write(text, Write::Push)?;
        let node = Node::of(&self.accept(&path, 1, bytes)?);
        let (last, above) = path.segments().split_last().ok_or(Code::ShapeMismatch)?;
        let list = match (self.layer_at_mut(path.layer(), above), last) {
            (Some(Node::Map(map)), Segment::Key(key)) => map
                .entry(key.to_string())
                .or_insert_with(|| Node::List(Vec::new())),
            (Some(Node::List(list)), Segment::Index(index)) => {
                element(list, *index).ok_or(Code::ShapeMismatch)?
            }
            _ => return Err(Code::ShapeMismatch),
        };
        let Node::List(list) = list else {
            return Err(Code::ShapeMismatch);
        };
        list.push(node);
        Ok(Answer::Pushed(list.len() as u64))
    }

    fn remove(&mut self, text: &str) -> Result<Answer, Code> {
        let path = self.write(text, Write::Remove)?;
        let (last, above) = path.segments().split_last().ok_or(Code::ShapeMismatch)?;
        let removed = match (self.layer_at_mut(path.layer(), above), last) {
            (Some(Node::Map(map)), Segment::Key(key)) => map.remove(key.as_str()).is_some(),
            (Some(Node::List(list)), Segment::Index(index)) => {
                let there = element(list, *index).is_some();
                if there {
                    list.remove(usize::try_from(*index).unwrap_or(usize::MAX));
                }
                there
            }
            _ => false,
        };
        Ok(Answer::Removed(removed))
    }

    fn send(&mut self, topic: &str, payload: &[u8]) -> Result<Answer, Code> {
        within(topic.len() as u64, 256, Limit::TopicBytes)?;
        self.usage.outbox_messages += 1;
        self.usage.outbox_bytes += (topic.len() + payload.len()) as u64;
        let (usage, limits) = (self.usage, &self.limits);
        within(
            usage.outbox_messages,
            limits.outbox_messages,
            Limit::OutboxMessages,
        )?;
        within(usage.outbox_bytes, limits.outbox_bytes, Limit::OutboxBytes)?;
        self.messages.push((topic.to_owned(), payload.to_vec()));
        Ok(Answer::Done)
    }

    fn read(&mut self, text: &str) -> Result<(Path, Sight), Code> {
        let path = self.parse(text)?;
        let zone = zone(path.segments());
        let readable = matches!(zone, None | Some("heavy"));
        let mut grants = self.inputs.iter().chain(&self.outputs);
        let granted = readable && grants.any(|grant| covers(grant, &path));
        if is_private(&path) || (!granted && self.mode == Mode::Strict) {
            return Err(Code::ReadOutside);
        }
        self.usage.reads += 1;
        within(self.usage.reads, self.limits.reads, Limit::Reads)?;
        let sight = match zone {
            None if granted => Sight::Data,
            _ => Sight::AllButPrivate,
        };
        Ok((path, sight))
    }

    fn write(&mut self, text: &str, write: Write) -> Result<Path, Code> {
        let path = self.parse(text)?;
        let zone = zone(path.segments());
        let allows = |grant: &&Path| {
            let indexed = |it: &Segment| matches!(it, Segment::Index(_));
            let set_only =
                matches!(zone, Some("sig" | "meta")) || grant.segments().iter().any(indexed);
            covers(grant, &path) && (write == Write::Set || !set_only)
        };
        let granted = self.outputs.iter().any(|grant| allows(&grant));
        if is_private(&path) || (!granted && self.mode == Mode::Strict) {
            return Err(Code::WriteOutside);
        }
        // What would be replaced, removed or moved along: private keys never, those of other zones only in permissive mode.
        let tolerated = self.mode == Mode::Permissive || zone.is_some();
        let kept = |node: &Node| {
            node.holds(&|key| key.starts_with('_')) || (!tolerated && node.holds(&is_reserved))
        };
        if write != Write::Push && self.at(&path).is_some_and(kept) {
            return Err(Code::WriteOutside);
        }
        if let (Write::Remove, Some((Segment::Index(index), above))) =
            (write, path.segments().split_last())
            && let Some(Node::List(list)) = self.layer_at(path.layer(), above)
        {
            let behind = usize::try_from(*index)
                .unwrap_or(usize::MAX)
                .saturating_add(1);
            if list.iter().skip(behind).any(kept) {
                return Err(Code::WriteOutside);
            }
        }
        self.usage.writes += 1;
        within(self.usage.writes, self.limits.writes, Limit::Writes)?;
        Ok(path)
    }

    fn parse(&self, text: &str) -> Result<Path, Code> {
        let path = Path::parse(text).map_err(|_| Code::MalformedPath)?;
        within(text.len() as u64, self.limits.path_bytes, Limit::PathBytes)?;
        let segments = path.segments().len() as u64;
        within(segments, self.limits.path_segments, Limit::PathSegments)?;
        Ok(path)
    }

    fn accept(&mut self, path: &Path, below: u64, bytes: &[u8]) -> Result<Value, Code> {
        let size = bytes.len() as u64;
        let limit = self.value_limit(path);
        within(size, limit, Limit::ValueBytes)?;
        if zone(path.segments()) != Some("heavy") {
            self.usage.write_bytes += size;
            within(
                self.usage.write_bytes,
                self.limits.write_bytes,
                Limit::WriteBytes,
            )?;
        }
        let above = path.segments().len() as u64 + below;
        let bounds = Bounds {
            depth: self.limits.value_depth.saturating_sub(above),
            decoded_bytes: Limits::decoded_bytes(limit),
        };
        let value =
            codec::decode(bytes, bounds).map_err(|problem| Refusal::from(problem).code())?;
        let node = Node::of(&value);
        let moves =
            |key: &str| key.starts_with('_') || (self.mode == Mode::Strict && is_reserved(key));
        if node.holds(&moves) {
            return Err(Code::ZoneMoved);
        }
        Ok(value)
    }

    fn hand_out(&mut self, bytes: u64) -> Result<(), Code> {
        self.usage.read_bytes += bytes;
        within(
            self.usage.read_bytes,
            self.limits.read_bytes,
            Limit::ReadBytes,
        )
    }

    fn value_limit(&self, path: &Path) -> u64 {
        match zone(path.segments()) {
            Some("heavy") => self.limits.heavy_value_bytes,
            _ => self.limits.value_bytes,
        }
    }

    fn at(&self, path: &Path) -> Option<&Node> {
        self.layer_at(path.layer(), path.segments())
    }

    fn layer_at(&self, layer: Layer, steps: &[Segment]) -> Option<&Node> {
        let root = &self.layers[layer as usize];
        steps
            .iter()
            .try_fold(root, |node, step| match (node, step) {
                (Node::Map(map), Segment::Key(key)) => map.get(key.as_str()),
                (Node::List(list), Segment::Index(index)) => {
                    list.get(usize::try_from(*index).ok()?)
                }
                _ => None,
            })
    }

    fn layer_at_mut(&mut self, layer: Layer, steps: &[Segment]) -> Option<&mut Node> {
        let root = &mut self.layers[layer as usize];
        steps
            .iter()
            .try_fold(root, |node, step| match (node, step) {
                (Node::Map(map), Segment::Key(key)) => map.get_mut(key.as_str()),
                (Node::List(list), Segment::Index(index)) => element(list, *index),
                _ => None,
            })
    }
}

fn within(used: u64, allowed: u64, limit: Limit) -> Result<(), Code> {
    if used > allowed {
        return Err(limit.code());
    }
    Ok(())
}

/// The zone that the first reserved prefix of a path names; none for data.
fn zone(segments: &[Segment]) -> Option<&'static str> {
    segments.iter().find_map(|segment| match segment {
        Segment::Key(key) => prefix(key),
        Segment::Index(_) => None,
    })
}

fn is_private(path: &Path) -> bool {
    let private = |it: &Segment| matches!(it, Segment::Key(key) if key.starts_with('_'));
    path.segments().iter().any(private)
}

/// Equal or below, and of the grant's own zone.
pub(super) fn covers(grant: &Path, place: &Path) -> bool {
    let (above, below) = (grant.segments(), place.segments());
    grant.layer() == place.layer()
        && below.get(..above.len()) == Some(above)
        && zone(above) == zone(below)
}
