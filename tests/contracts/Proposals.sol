// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {CouncilFace, ProgrammesFace} from "./Faces.sol";
import {Officers} from "./Officers.sol";

/// @title Councillors and their proposals
/// @notice Four councillors of the first programme, one of the second, four of the whole alliance.
/// Every proposal of these programmes needs two approvals.
abstract contract Proposals is Officers {
    string internal constant DOMAIN_NAME = "Moonlake Council";
    bytes32 internal constant APPROVAL = keccak256(
        "Approval(uint16 programmeId,uint64 proposalId,bytes32 callsHash,address account,bytes32 operationId,uint256 deadline)"
    );

    address internal immutable maker = _account("maker");
    address internal immutable second = _account("second");
    address internal immutable third = _account("third");
    address internal immutable fourth = _account("fourth");
    address internal immutable elsewhere = _account("elsewhere");
    address internal immutable wide = _account("wide");
    address internal immutable wideSecond = _account("wide second");
    address internal immutable wideThird = _account("wide third");
    address internal immutable wideFourth = _account("wide fourth");

    function _appointCouncillors() internal {
        address[4] memory first = [maker, second, third, fourth];
        address[4] memory alliance = [wide, wideSecond, wideThird, wideFourth];
        for (uint256 i = 0; i < 4; ++i) {
            _appoint(COUNCILLOR_ROLE, FIRST, first[i]);
            _appoint(COUNCILLOR_ROLE, 0, alliance[i]);
        }
        _appoint(COUNCILLOR_ROLE, SECOND, elsewhere);
    }

    function _calls(address target, bytes memory data) internal pure returns (ICouncil.Call[] memory calls) {
        calls = new ICouncil.Call[](1);
        calls[0] = ICouncil.Call(target, data);
    }

    function _hash(ICouncil.Call[] memory calls) internal pure returns (bytes32) {
        return keccak256(abi.encode(calls));
    }

    /// @dev Proposed for a week.
    function _propose(address by, uint16 programmeId, ICouncil.Call[] memory calls) internal returns (uint64) {
        bytes32 operationId = _operation();
        vm.prank(by);
        return councils.propose(programmeId, calls, uint40(block.timestamp) + 7 days, EVIDENCE, operationId);
    }

    function _approve(address by, uint64 proposalId) internal {
        bytes32 callsHash = councils.proposal(proposalId).callsHash;
        bytes32 operationId = _operation();
        vm.prank(by);
        councils.approve(proposalId, callsHash, operationId);
    }

    function _execute(address by, uint64 proposalId, ICouncil.Call[] memory calls) internal {
        bytes32 operationId = _operation();
        vm.prank(by);
        councils.execute(proposalId, calls, operationId);
    }

    function _cancel(address by, uint64 proposalId) internal {
        bytes32 operationId = _operation();
        vm.prank(by);
        councils.cancel(proposalId, operationId);
    }

    /// @dev Proposed by the first councillor of the programme (or of the alliance) and approved by two
    /// others.
    function _agreed(uint16 programmeId, ICouncil.Call[] memory calls) internal returns (uint64 proposalId) {
        bool alliance = programmeId != FIRST;
        proposalId = _propose(alliance ? wide : maker, programmeId, calls);
        _approve(alliance ? wideSecond : second, proposalId);
        _approve(alliance ? wideThird : third, proposalId);
    }

    /// @dev Proposed, approved and executed.
    function _carried(uint16 programmeId, address target, bytes memory data) internal returns (uint64 proposalId) {
        ICouncil.Call[] memory calls = _calls(target, data);
        proposalId = _agreed(programmeId, calls);
        _execute(programmeId == FIRST ? fourth : wideFourth, proposalId, calls);
    }

    function _dismiss(bytes32 name, uint16 programmeId, address account) internal {
        bytes32 operationId = _operation();
        vm.prank(admin);
        authority.dismiss(name, programmeId, account, operationId);
    }

    /// @dev The hash of an approval's message.
    function _approval(uint64 proposalId, address account, bytes32 operationId, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        ICouncil.Proposal memory found = councils.proposal(proposalId);
        return _approval(found.programmeId, proposalId, found.callsHash, account, operationId, deadline);
    }

    function _approval(
        uint16 programmeId,
        uint64 proposalId,
        bytes32 callsHash,
        address account,
        bytes32 operationId,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(APPROVAL, programmeId, proposalId, callsHash, account, operationId, deadline));
    }
}

/// @title Councils with two programmes, and a target that they call
abstract contract Chamber is Proposals {
    bytes32 internal constant OPERATION = keccak256("this operation");

    Target internal target;

    function setUp() public virtual {
        vm.warp(NOW);
        authority = _deployAuthority(admin, ADMIN_DELAY);
        programmes = ProgrammesFace(vm.deployCode("Programmes.sol", abi.encode(authority)));
        councils = CouncilFace(vm.deployCode("Council.sol", abi.encode(authority, programmes, ALLIANCE_APPROVALS)));
        _appoint(COUNCIL_ROLE, 0, council);
        _appoint(GUARDIAN_ROLE, 0, guardian);
        _found("alliance");
        _found("community");
        _appointCouncillors();
        target = new Target();
    }

    /// @dev A call that the target keeps.
    function _setting(uint256 number) internal view returns (ICouncil.Call[] memory) {
        return _calls(address(target), abi.encodeCall(Target.set, (number)));
    }

    function _refuses(address sender, bytes memory failure) internal {
        vm.expectRevert(failure);
        vm.prank(sender);
    }
}

/// @title What proposals call in tests
contract Target {
    address public caller;
    uint256 public number;
    uint256 public count;

    error TargetRefused(uint256 number, string reason);

    function set(uint256 number_) external {
        caller = msg.sender;
        number = number_;
        ++count;
    }

    function refuse(uint256 number_) external pure {
        revert TargetRefused(number_, "for a reason of more than thirty-two bytes");
    }

    function refuseSilently() external pure {
        assembly ("memory-safe") {
            revert(0, 0)
        }
    }

    function panic() external pure {
        assert(false);
    }

    /// @dev Answers with a megabyte.
    function answerAtLength() external pure {
        assembly ("memory-safe") {
            return(0, 1000000)
        }
    }

    /// @dev Calls on, or back, as itself.
    function run(address target, bytes calldata data) external {
        (bool done, bytes memory answer) = target.call(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    /// @dev The same, and goes on where that fails.
    function tryToRun(address target, bytes calldata data) external {
        (bool done,) = target.call(data);
        number = done ? 1 : 2;
    }
}
