//! `wasi:sockets`: none can be made and no name is looked up; without a socket nothing else there can be called.

use super::View;
use wasmtime::component::Resource;
use wasmtime::{Result, bail};
use wasmtime_wasi::p2::bindings::sockets::instance_network;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{
    self, ErrorCode, HostNetwork, IpAddress, IpAddressFamily, Network,
};
use wasmtime_wasi::p2::bindings::sync::sockets::{tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{DynPollable, IoError, SocketError, SocketResult, TcpSocket, UdpSocket};

/// A handle that stands for a network which leads nowhere.
struct NoNetwork;

impl instance_network::Host for View<'_> {
    fn instance_network(&mut self) -> Result<Resource<Network>> {
        self.spend(0)?;
        let network = self.world.table.push(NoNetwork)?;
        Ok(Resource::new_own(network.rep()))
    }
}

impl network::Host for View<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, _error: Resource<IoError>) -> Result<Option<ErrorCode>> {
        self.spend(0)?;
        Ok(None)
    }
}

impl HostNetwork for View<'_> {
    fn drop(&mut self, network: Resource<Network>) -> Result<()> {
        self.world
            .table
            .delete(Resource::<NoNetwork>::new_own(network.rep()))?;
        Ok(())
    }
}

impl tcp_create_socket::Host for View<'_> {
    fn create_tcp_socket(&mut self, _family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        self.refuse(ErrorCode::AccessDenied)
    }
}

impl udp_create_socket::Host for View<'_> {
    fn create_udp_socket(&mut self, _family: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        self.refuse(ErrorCode::AccessDenied)
    }
}

impl ip_name_lookup::Host for View<'_> {
    fn resolve_addresses(
        &mut self,
        _network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        self.spend(name.len()).map_err(SocketError::trap)?;
        self.refuse(ErrorCode::PermanentResolverFailure)
    }
}

/// What only an answered lookup would give a handle for.
impl HostResolveAddressStream for View<'_> {
    fn resolve_next_address(
        &mut self,
        _stream: Resource<ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        self.refuse(ErrorCode::PermanentResolverFailure)
    }

    fn subscribe(
        &mut self,
        _stream: Resource<ResolveAddressStream>,
    ) -> Result<Resource<DynPollable>> {
        bail!("no name is ever looked up")
    }

    fn drop(&mut self, _stream: Resource<ResolveAddressStream>) -> Result<()> {
        bail!("no name is ever looked up")
    }
}

impl View<'_> {
    fn refuse<T>(&mut self, error: ErrorCode) -> SocketResult<T> {
        self.spend(0).map_err(SocketError::trap)?;
        Err(error.into())
    }
}
