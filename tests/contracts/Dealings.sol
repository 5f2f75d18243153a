// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Books} from "./Books.sol";
import {Trees} from "./Trees.sol";

/// @title What organisations and councils do, in any order: control, benefits, shares, proposals
abstract contract Dealings is Books, Trees {
    uint32 internal constant MOST_ORGANISATIONS = 12;
    uint256 private constant SPARES = 16;
    uint256 private constant COUNCILLORS = 5;
    uint32 private constant SHARERS = 6;
    bytes32 private constant REDEMPTION = keccak256(
        "Redemption(uint16 programmeId,uint32 listingId,uint32 orgId,uint32 quantity,uint64 credits,"
        "address account,bytes32 operationId,uint256 deadline)"
    );

    mapping(address account => uint256 key) private _keys;
    address[] private _spares;
    address[] private _councillors;
    mapping(uint64 proposalId => ICouncil.Call[]) private _calls;

    function setUp() public virtual override {
        super.setUp();
        for (uint32 orgId = 1; orgId <= MOST_ORGANISATIONS; ++orgId) {
            _keys[_controller(orgId)] = _key(orgId);
        }
        for (uint256 i = 0; i < SPARES; ++i) {
            string memory name = string.concat("spare ", vm.toString(i));
            _keys[_account(name)] = _key(name);
            _spares.push(_account(name));
        }
        for (uint256 i = 0; i < COUNCILLORS; ++i) {
            _councillors.push(_account(string.concat("councillor ", vm.toString(i))));
            _appoint(COUNCILLOR_ROLE, 0, _councillors[i]);
        }
        _appoint(COUNCIL_ROLE, 0, councils.seatOf(0));
        _appoint(COUNCIL_ROLE, 0, rival);
        _appoint(REGISTRAR_ROLE, 0, rival);
    }

    // --- organisations

    function changeControl(uint256 seed, uint8 what) external {
        uint32 orgId = _someOrganisation(seed);
        address spare = _spares[(seed >> 32) % SPARES];
        (uint8 kind, bytes32 id) = (what % 8, _operation());
        address sender = kind < 4 || kind == 5 ? controllers[orgId] : council;
        bytes memory data;
        if (kind < 2) {
            data = abi.encodeCall(organisations.nominate, (orgId, spare, id));
        } else if (kind < 4) {
            sender = organisations.nominatedBy(orgId);
            data = abi.encodeCall(organisations.acceptControl, (orgId, id));
        } else if (kind == 4) {
            data = abi.encodeCall(organisations.beginRecovery, (orgId, spare, EVIDENCE, id));
        } else if (kind == 5) {
            data = abi.encodeCall(organisations.stopRecovery, (orgId, id));
        } else {
            data = abi.encodeCall(organisations.finishRecovery, (orgId, id));
        }
        if (sender != address(0)) _give(address(organisations), sender, data);
    }

    /// @dev Revokes what it holds, and merges it into another.
    function retire(uint256 seed) external {
        uint32 orgId = _someOrganisation(seed);
        if (seed >> 64 & 3 != 0 || _retiredCount() >= 4) return;
        for (uint16 programmeId = FIRST; programmeId <= SECOND; ++programmeId) {
            bytes memory revocation =
                abi.encodeCall(memberships.revoke, (programmeId, _one(orgId), REASON, EVIDENCE, _operation()));
            _give(address(memberships), registrar, revocation);
        }
        uint32 successorId = seed >> 66 & 3 == 0 ? 0 : _someOrganisation(seed >> 128);
        bytes memory data = abi.encodeCall(organisations.retire, (orgId, successorId, EVIDENCE, _operation()));
        _give(address(organisations), council, data);
    }

    /// @dev Mostly of one that was retired without.
    function nameSuccessor(uint256 seed) external {
        uint32 last = organisations.organisationCount();
        uint32 orgId = uint32(_between(seed, 1, last));
        for (uint32 i = 0; i < last && seed >> 64 & 7 != 0; ++i) {
            if (controllers[orgId] == address(0) && successors[orgId] == 0) break;
            orgId = orgId % last + 1;
        }
        uint32 successorId = seed >> 70 & 7 == 0 ? orgId : _someOrganisation(seed >> 128);
        bytes memory data =
            abi.encodeCall(organisations.nameSuccessor, (orgId, successorId, EVIDENCE, _operation()));
        _give(address(organisations), council, data);
    }

    function carryOver(uint256 seed, bool second) external {
        uint32 last = organisations.organisationCount();
        uint32 orgId = uint32(_between(seed, 1, last));
        for (uint32 i = 0; i < last && organisations.successorOf(orgId) == 0; ++i) {
            orgId = orgId % last + 1;
        }
        bytes memory data =
            abi.encodeCall(credits.carryOver, (second ? SECOND : FIRST, _one(orgId), EVIDENCE, _operation()));
        _give(address(credits), council, data);
    }

    // --- benefits

    function list(uint256 seed, bool second, bool closes) external {
        uint32 last = benefits.listingCount();
        bytes memory data = abi.encodeCall(benefits.close, (uint32(_between(seed, 1, last + 1)), _operation()));
        if (last < 6 || !closes) {
            IBenefits.Listing memory terms;
            terms.programmeId = second ? SECOND : FIRST;
            terms.price = uint64(_between(seed, 1, 60));
            terms.capacity = uint32(_between(seed >> 32, 1, 40));
            terms.perOrganisation = uint32(_between(seed >> 64, 1, terms.capacity));
            terms.opensAt = uint40(block.timestamp);
            terms.closesAt = uint40(block.timestamp + _between(seed >> 96, 1, 20 days));
            data = abi.encodeCall(benefits.list, (terms, _operation()));
        }
        _give(address(benefits), council, data);
    }

    function redeem(uint256 seed, uint32 quantity, bool signed) external {
        uint32 listingId = uint32(_between(seed, 0, benefits.listingCount()));
        uint32 orgId = _someOrganisation(seed >> 64);
        quantity = uint32(_between(quantity, 0, 8));
        bytes32 id = _operation();
        address controller = controllers[orgId];
        if (!signed) {
            bytes memory plain = abi.encodeCall(benefits.redeem, (listingId, orgId, quantity, id));
            _give(address(benefits), controller, plain);
        } else if (listingId != 0) {
            ISignedMessages.Signed memory message = _signedRedemption(controller, listingId, orgId, quantity, id);
            bytes memory data =
                abi.encodeCall(benefits.redeemBySignature, (listingId, orgId, quantity, id, message));
            _relay(address(benefits), stranger, data);
        }
    }

    function settle(uint256 seed, bool fulfils) external {
        uint64 last = benefits.redemptionCount();
        if (last == 0) return;
        uint64 redemptionId = uint64(_between(seed, 1, last));
        for (uint64 i = 0; i < last && seed >> 64 & 15 != 0; ++i) {
            if (benefits.redemption(redemptionId).status == IBenefits.RedemptionStatus.Open) break;
            redemptionId = redemptionId % last + 1;
        }
        bytes memory data = abi.encodeCall(benefits.cancel, (redemptionId, EVIDENCE, _operation()));
        if (fulfils) {
            uint64[] memory ids = new uint64[](1);
            ids[0] = redemptionId;
            uint16 programmeId = seed >> 70 & 7 == 0
                ? SECOND
                : benefits.listing(benefits.redemption(redemptionId).listingId).listing.programmeId;
            data = abi.encodeCall(benefits.fulfil, (programmeId, ids, EVIDENCE, _operation()));
        }
        _give(address(benefits), council, data);
    }

    // --- shares

    function share(uint256 seed, uint8 what, uint64 pool) external {
        uint32 last = shares.distributionCount();
        uint32 distributionId = uint32(_between(seed, 1, last + 1));
        uint8 kind = what % 8;
        if (kind == 0 && last < 8) {
            _give(address(shares), council, _posting(seed, pool));
        } else if (kind == 1 && seed >> 64 & 3 == 0) {
            _give(
                address(shares), council, abi.encodeCall(shares.withdraw, (distributionId, EVIDENCE, _operation()))
            );
        } else if (distributionId <= last) {
            _claim(distributionId, uint32(_between(seed >> 96, 1, SHARERS)), seed);
        }
    }

    // --- councils

    function govern(uint256 seed, uint8 what) external {
        uint64 last = councils.proposalCount();
        uint64 proposalId = uint64(_between(seed, last > 1 ? last - 1 : 1, last + 1));
        address councillor = _councillors[(seed >> 64) % COUNCILLORS];
        uint8 kind = what % 8;
        if (kind == 0) {
            _propose(councillor, seed);
        } else if (kind < 5 && proposalId <= last) {
            bytes32 callsHash = councils.proposal(proposalId).callsHash;
            bytes memory data = abi.encodeCall(councils.approve, (proposalId, callsHash, _operation()));
            _give(address(councils), councillor, data);
        } else if (kind < 7) {
            bytes memory data = abi.encodeCall(councils.execute, (proposalId, _calls[proposalId], _operation()));
            _give(address(councils), councillor, data);
        } else {
            bytes memory data = abi.encodeCall(councils.cancel, (proposalId, _operation()));
            _give(address(councils), seed >> 72 & 1 == 0 ? guardian : councillor, data);
        }
    }

    /// @dev Mostly appointed, so that there are enough for a proposal.
    function changeCouncillor(uint256 seed) external {
        address councillor = _councillors[seed % COUNCILLORS];
        bytes memory data = seed >> 64 & 3 != 0
            ? abi.encodeCall(authority.appoint, (COUNCILLOR_ROLE, 0, councillor, _operation()))
            : abi.encodeCall(authority.dismiss, (COUNCILLOR_ROLE, 0, councillor, _operation()));
        _give(address(authority), admin, data);
    }

    function repeat(uint256 seed) external {
        _repeat(seed);
    }

    /// @dev One that is not retired.
    function _someOrganisation(uint256 random) internal view returns (uint32 orgId) {
        uint32 last = organisations.organisationCount();
        orgId = uint32(_between(uint32(random), 1, last));
        while (controllers[orgId] == address(0)) {
            orgId = orgId % last + 1;
        }
    }

    function _retiredCount() private view returns (uint256 count) {
        for (uint32 orgId = 1; orgId <= organisations.organisationCount(); ++orgId) {
            if (controllers[orgId] == address(0)) ++count;
        }
    }

    function _signedRedemption(
        address controller,
        uint32 listingId,
        uint32 orgId,
        uint32 quantity,
        bytes32 operationId
    ) private view returns (ISignedMessages.Signed memory) {
        IBenefits.Listing memory terms = benefits.listing(listingId).listing;
        uint256 amount = uint256(terms.price) * quantity;
        bytes32 message = keccak256(
            abi.encode(
                REDEMPTION,
                terms.programmeId,
                listingId,
                orgId,
                quantity,
                amount,
                controller,
                operationId,
                block.timestamp
            )
        );
        return _signed(_keys[controller], address(benefits), "Moonlake Benefits", message, block.timestamp);
    }

    /// @dev A distribution over the first organisations, whose pool may be too small for all of them.
    function _posting(uint256 seed, uint64 pool) private returns (bytes memory) {
        IShares.Distribution memory terms;
        terms.programmeId = FIRST;
        terms.epoch = programmes.epochAt(FIRST, uint40(block.timestamp));
        terms.epoch = terms.epoch == 0 ? 3 : terms.epoch - 1;
        terms.pool = uint64(_between(pool, 1, 3000));
        terms.unit = "slots";
        terms.rule = EVIDENCE;
        terms.root = _sharesOf(terms.epoch)[0];
        terms.claimableFrom = uint40(block.timestamp + _between(seed >> 32, 23 hours, 30 hours));
        terms.claimableUntil = terms.claimableFrom + uint40(_between(seed, 1, 40 days));
        return abi.encodeCall(shares.post, (terms, EVIDENCE, _operation()));
    }

    function _sharesOf(uint32 epoch) private pure returns (bytes32[] memory) {
        bytes32[] memory leaves = new bytes32[](SHARERS);
        for (uint32 orgId = 1; orgId <= SHARERS; ++orgId) {
            leaves[orgId - 1] = _leaf(FIRST, epoch, orgId, 100 * uint64(orgId));
        }
        return _tree(leaves);
    }

    function _claim(uint32 distributionId, uint32 orgId, uint256 seed) private {
        uint32 epoch = shares.distribution(distributionId).distribution.epoch;
        uint64 amount = 100 * uint64(orgId);
        bytes32[] memory proof = _proof(_sharesOf(epoch), _leaf(FIRST, epoch, orgId, amount));
        if (seed >> 128 & 15 == 0) ++amount;
        uint32 heir = orgId;
        while (organisations.successorOf(heir) != 0) heir = organisations.successorOf(heir);
        if (controllers[heir] == address(0)) return;
        bytes memory data = abi.encodeCall(shares.claim, (distributionId, orgId, amount, proof, _operation()));
        _give(address(shares), controllers[heir], data);
    }

    function _propose(address councillor, uint256 seed) private {
        ICouncil.Call memory call;
        call.target = address(programmes);
        call.data = abi.encodeCall(programmes.changeProfile, (FIRST, bytes32(seed), _operation()));
        if (seed >> 80 & 3 == 0) {
            call.target = address(councils);
            uint8 needed = uint8(_between(seed >> 88, 0, 3));
            call.data = abi.encodeCall(councils.changeAllianceApprovals, (needed, _operation()));
        }
        if (seed >> 82 & 7 == 0) {
            // Which no guardian cancels; the seat, no guardian itself, fails to do it.
            call.target = address(authority);
            call.data = abi.encodeCall(authority.pause, (_operation()));
        }
        ICouncil.Call[] memory calls = new ICouncil.Call[](1);
        calls[0] = call;
        uint40 expiresAt = uint40(block.timestamp + _between(seed >> 96, 1, 10 days));
        bytes memory data = abi.encodeCall(councils.propose, (0, calls, expiresAt, EVIDENCE, _operation()));
        if (_give(address(councils), councillor, data)) _calls[councils.proposalCount()].push(call);
    }
}
